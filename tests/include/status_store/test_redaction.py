"""What is left of a row when its free texts are erased."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.status_store.envelope import split_rows
from include.status_store.parsing import parse_rows
from include.status_store.redaction import ERASED, Redaction
from tests.include.status_store.scripted_source import row

if TYPE_CHECKING:
    from include.status_store.event import Event

ZONE = ZoneInfo("Europe/Helsinki")


def comment(number: int, **changes: object) -> dict[str, object]:
    """A comment as Ropo sends it."""
    fields = {"statustype": "comment", "statuscode": "98", "paydate": "", "amount": "", "statusid": f"C{number}"}
    return row(number, **{**fields, "statusref": "Viesti", "statustext": "Matti soitti", **changes})


def left_of(fields: dict[str, object], redaction: Redaction | None = None) -> dict[str, object]:
    left = (redaction or Redaction()).raw(json.dumps(fields).encode())
    return dict(json.loads(left))


def body_of(*rows: object) -> bytes:
    return json.dumps({"result": {"status": list(rows), "note": "about Matti"}}).encode()


def test_a_comment_keeps_its_keys_its_time_and_its_code() -> None:
    assert left_of(comment(1, extra="Matti too")) == {
        "jobid": 3_000_001,
        "statusid": "C1",
        "billnum": "10001",
        "statustype": "comment",
        "statustime": "2026-11-13 00:00:00",
        "statuscode": "98",
        "paydate": "",
        "amount": "",
    }


def test_a_payment_keeps_its_type_number_and_its_amount_as_written() -> None:
    left = left_of(row(1, amount="96.720", statustext=" 8 "))

    assert (left["amount"], left["statustext"], "statusref" in left) == ("96.720", " 8 ", False)


@pytest.mark.parametrize("raw", [b'{"statustype": "payment", "statustext": "1", "amount": 96.7200000000000001}'])
def test_an_amount_that_is_a_json_number_keeps_every_digit(raw: bytes) -> None:
    assert b"96.7200000000000001" in Redaction().raw(raw)


def test_a_payment_that_says_something_else_instead_of_its_type_loses_it() -> None:
    assert "statustext" not in left_of(row(1, statustext="paid by Matti"))
    assert Redaction().text("Payment", "paid by Matti") == ERASED


def test_a_type_that_the_status_map_knows_stays_whatever_it_is_made_of() -> None:
    redaction = Redaction({"Kassa"})

    assert redaction.text("payment", "Kassa") == "Kassa"
    assert left_of(row(1, statustext="Kassa"), redaction)["statustext"] == "Kassa"


def test_an_answer_keeps_the_rows_that_are_not_due_byte_for_byte() -> None:
    body = body_of(comment(1), comment(2))

    left = Redaction().body(body, ZONE, lambda event, _: event is not None and event.statusid == "C1")

    assert left is not None
    assert split_rows(left)[1] == split_rows(body)[1]
    assert left.count(b"Matti") == 1


def test_an_answer_of_which_no_row_is_due_stays() -> None:
    assert Redaction().body(body_of(comment(1)), ZONE, lambda *_: False) is None


def test_a_row_that_could_not_be_parsed_goes_whole() -> None:
    left = Redaction().body(body_of(row(1, amount="Matti owes"), comment(2)), ZONE, lambda event, _: event is None)

    assert left is not None
    assert split_rows(left)[0] == b"null"


def left_of_unreadable(**changes: object) -> dict[str, object]:
    return dict(json.loads(Redaction().rejected(json.dumps(row(1, **changes)).encode())))


def test_a_row_that_is_no_event_keeps_its_keys_codes_and_numbers() -> None:
    assert left_of_unreadable(paydate="13.11.2026", amount="96,72 ", memo="Matti", statusref={"a": "Matti"}) == {
        "jobid": "3000001",
        "statusid": "P1",
        "billnum": "10001",
        "statustype": "payment",
        "statustime": "2026-11-13 00:00:00",
        "statustext": "1",
        "statuscode": "",
        "paydate": "13.11.2026",
        "amount": "96,72 ",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "paid by Matti"),
        ("paydate", "when Matti paid"),
        ("statustime", ["Matti"]),
        ("statustext", "Matti"),
        ("statuscode", {"note": "Matti"}),
        ("jobid", "Matti " * 50),
    ],
)
def test_a_row_that_is_no_event_loses_what_may_be_a_text_where_a_number_or_a_key_belongs(
    field: str, value: object
) -> None:
    assert field not in left_of_unreadable(**{field: value})


@pytest.mark.parametrize(
    "raw", [b'{"statustext": "Matti \\u0000", "billnum": 1.50}', b'{"x": "\xff", "billnum": 1.50}']
)
def test_a_row_that_holds_what_is_no_text_is_read_as_far_as_it_can_be(raw: bytes) -> None:
    assert Redaction().rejected(raw) == b'{"billnum": "1.50"}'


json_texts = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(
    statustype=st.sampled_from(["payment", "Payment", "comment", "letter"]),
    statustext=json_texts | st.integers(0, 99),
    statusref=json_texts,
    unknown=st.dictionaries(json_texts, json_texts | st.integers() | st.lists(json_texts), max_size=3),
)
def test_the_event_and_its_row_lose_the_same_and_keep_the_rest(
    statustype: str, statustext: object, statusref: str, unknown: dict[str, object]
) -> None:
    fields = {**unknown, **row(1, statustype=statustype, statustext=statustext, statusref=statusref)}
    before = only_event(json.dumps(fields).encode())

    after = Redaction().event(before)

    again = only_event(bytes(after.raw))
    assert again.statustext == (after.statustext if after.statustext != ERASED else "")
    assert (again.statusref, after.statusref) == ("", "")
    kept = ("statusid", "jobid", "billnum", "statustype", "statustime", "statuscode", "paydate", "amount")
    for name in kept:
        assert getattr(again, name) == getattr(after, name) == getattr(before, name)
    assert set(json.loads(bytes(after.raw))) <= {*kept, "statustext"}


def only_event(raw: bytes) -> Event:
    (event,) = parse_rows([raw], ZONE).events
    return event
