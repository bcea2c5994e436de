"""A row becomes an event, or is rejected with a reason; it never breaks the page that it came in."""

from __future__ import annotations

import datetime
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.status_store.event import Event, Rejected
from include.status_store.fields import FIELDS
from include.status_store.parsing import ROWS_AT_ONCE, parse_rows
from tests.include.status_store.scripted_source import row

HELSINKI = ZoneInfo("Europe/Helsinki")


def parse(*rows: object) -> list[Event | Rejected]:
    """Each row's event or rejection, in the rows' order; a row may be given as its bytes."""
    parsed = parse_rows((each if isinstance(each, bytes) else json.dumps(each).encode() for each in rows), HELSINKI)
    return sorted([*parsed.events, *parsed.rejected], key=lambda each: each.ordinal)


def event(row: object) -> Event:
    (parsed,) = parse(row)
    assert isinstance(parsed, Event), parsed
    return parsed


def reason(row: object) -> str:
    (parsed,) = parse(row)
    assert isinstance(parsed, Rejected), parsed
    return parsed.error


def literal(field: str, value: bytes) -> bytes:
    """A row with a JSON literal that json.dumps would not write."""
    return json.dumps(row(1, **{field: "PLACE"})).encode().replace(b'"PLACE"', value)


def test_a_payment_is_taken_as_ropo_sends_it() -> None:
    parsed = event(row(7, extra={"new": [1]}))

    assert (parsed.statusid, parsed.jobid, parsed.billnum) == ("P7", "3000007", "10007")
    assert (parsed.statustype, parsed.statustime) == ("payment", "2026-11-13 00:00:00")
    assert (parsed.paydate, parsed.amount) == ("2026-11-13", "96.72")
    assert json.loads(bytes(parsed.raw)) == row(7, extra={"new": [1]})


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"jobid": "3081412"}, "jobid", "3081412"),
        ({"jobid": 3081412}, "jobid", "3081412"),
        ({"jobid": ""}, "jobid", None),
        ({"jobid": None}, "jobid", None),
        ({"billnum": "  21979215 "}, "billnum", "21979215"),
        ({"billnum": 0}, "billnum", "0"),
        ({"statuscode": 101}, "statuscode", "101"),
        ({"statuscode": None}, "statuscode", ""),
        ({"statustext": "Viesti\nkahdella rivillä"}, "statustext", "Viesti\nkahdella rivillä"),
        ({"statustype": "something new"}, "statustype", "something new"),
        ({"amount": 96.70}, "amount", "96.7"),
        ({"amount": 96}, "amount", "96"),
        ({"amount": "-12.50"}, "amount", "-12.50"),
        ({"amount": "007.50"}, "amount", "7.50"),
        ({"amount": "-0.00"}, "amount", "0.00"),
        ({"amount": "", "statustype": "comment"}, "amount", None),
        ({"paydate": ""}, "paydate", None),
        ({"paydate": "2015-11-13 00:00:00"}, "paydate", "2015-11-13"),
        ({"statustime": "2026-11-13"}, "statustime", "2026-11-13 00:00:00"),
        ({"statustime": "2026-11-13T09:59:20"}, "statustime", "2026-11-13 09:59:20"),
        ({"statustime": "2026-11-13T22:30:00Z"}, "statustime", "2026-11-14 00:30:00"),
    ],
)
def test_tolerable_forms_are_taken(changes: dict[str, object], field: str, expected: str | None) -> None:
    assert getattr(event(row(1, **changes)), field) == expected


def test_a_number_keeps_the_digits_that_came() -> None:
    assert event(literal("amount", b"96.70")).amount == "96.70"


@pytest.mark.parametrize(("written", "amount"), [(b"1.25E7", "12500000"), (b"-9672e-2", "-96.72"), (b"0E+2", "0")])
def test_an_amount_with_an_exponent_is_the_number_that_it_is(written: bytes, amount: str) -> None:
    """As JSON may write any number, and some libraries write large ones."""
    assert event(literal("amount", written)).amount == amount


def test_an_id_with_an_exponent_stays_as_json_writes_it() -> None:
    assert event(literal("jobid", b"1E+20")).jobid == "1E+20"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"jobid": "", "billnum": " "}, "jobid and billnum: expected one of them, both are missing"),
        ({"statustype": ""}, "statustype: expected"),
        ({"statustime": ""}, "statustime: expected YYYY-MM-DD HH:MM:SS, it is missing"),
        ({"statustime": "13.11.2026"}, "statustime: expected"),
        ({"statustime": "2026-02-30 10:00:00"}, "statustime: expected"),
        ({"statustime": "0001-01-01T00:00:00+05:00"}, "statustime: expected"),
        ({"paydate": "0000-00-00"}, "paydate: expected"),
        ({"amount": ""}, "amount: expected"),
        ({"statustype": "Payment", "amount": ""}, "amount: expected"),
        ({"amount": "96,72"}, "amount: expected"),
        ({"amount": "1e3"}, "amount: expected"),
        ({"amount": "NaN"}, "amount: expected"),
        ({"amount": "١٢.٥٠"}, "amount: expected"),
        ({"amount": "1" * 16}, "amount: expected a number such as 96.72, of at most 15 digits and 6 decimals"),
        ({"amount": 1e15}, "amount: expected a number such as 96.72, of at most 15 digits and 6 decimals"),
        ({"amount": True}, "amount: expected text or a number, got a JSON bool"),
        ({"billnum": {"number": "1"}}, "billnum: expected text or a number, got a JSON dict"),
        ({"statusid": ["P1"]}, "statusid: expected text or a number, got a JSON list"),
        ({"statusid": "P" * 201}, "statusid: expected an id of at most 200 characters, got 201"),
        ({"billnum": "1" * 201}, "billnum: expected an id of at most 200 characters, got 201"),
        ({"jobid": 10**300}, "jobid: expected an id of at most 200 characters, got 301"),
        ({"statustext": "NUL: \0"}, "row: holds a NUL character"),
        ({"unknown": {"a": ["\0"]}}, "row: holds a NUL character"),
        ({"unknown": {"\0": 1}}, "row: holds a NUL character"),
        ({"statustext": "\ud83d"}, "row: is no valid JSON text"),
    ],
)
def test_other_forms_are_rejected_with_the_reason(changes: dict[str, object], expected: str) -> None:
    assert reason(row(1, **changes)).startswith(expected)


@pytest.mark.parametrize("value", [b"null", b"7", b'"text"', b"[]", b"[{}]", b"true"])
def test_a_row_that_is_no_object_is_rejected(value: bytes) -> None:
    assert reason(value).startswith("row: expected a JSON object")


@pytest.mark.parametrize(
    "value",
    [
        b"1e99999999999999999999",
        b"9" * 5000,
        b"-1e-99999999999999999999",
        b"[" * 5000 + b"]" * 5000,
        b'"\xff"',
        b"1e400",
    ],
    ids=["exponent", "digits", "negative exponent", "nesting", "no text", "large exponent"],
)
@pytest.mark.parametrize("field", ["jobid", "amount", "statustext"])
def test_a_value_out_of_all_measure_rejects_its_row_only(field: str, value: bytes) -> None:
    parsed = parse(row(1), literal(field, value), row(2))

    assert [type(each) for each in parsed][::2] == [Event, Event]
    assert field in ("statustext", "jobid") or isinstance(parsed[1], Rejected)


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert event(row(1, statustext="\\u0000")).statustext == "\\u0000"


def test_a_reason_quotes_nothing_of_the_row() -> None:
    for changes in ({"statustime": "Matti"}, {"amount": "Matti"}, {"billnum": {"Matti": 1}}, {"paydate": "Matti"}):
        assert "Matti" not in reason(row(1, **changes))


def test_without_a_statusid_the_content_and_its_occurrence_are_the_key() -> None:
    bare, other = row(1, statusid=None), row(2, statusid="")
    first, second = (event(each).statusid.removesuffix(":1") for each in (bare, other))

    keys = [each.statusid for each in parse(bare, other, bare, row(3)) if isinstance(each, Event)]

    assert keys == [f"{first}:1", f"{second}:1", f"{first}:2", "P3"]
    assert first != second


def test_a_key_that_is_made_up_is_that_of_every_store_there_is() -> None:
    key = "sha256:ff4906d63cdab99c595db7fe2c317f811e2c96b05d016db19ffd9c91df72e46f:1"

    assert event(row(1, statusid=None)).statusid == key


@given(st.lists(st.binary(), max_size=5))
def test_no_bytes_break_a_page(rows: list[bytes]) -> None:
    parsed = parse(json.dumps(row(1)).encode(), *rows, json.dumps(row(2)).encode())

    assert [each.ordinal for each in parsed] == list(range(len(rows) + 2))
    assert [each.statusid for each in (parsed[0], parsed[-1]) if isinstance(each, Event)] == ["P1", "P2"]


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), ANYTHING))
def test_no_values_break_a_page(values: dict[str, object]) -> None:
    raw = json.dumps(values, default=str).encode("utf-8", errors="surrogatepass")

    (parsed,) = parse(raw)

    if isinstance(parsed, Event):
        assert parsed.jobid or parsed.billnum
        assert parsed.statusid


@given(st.lists(st.from_regex(r"2026-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-5][0-9]:[0-6][0-9]", fullmatch=True)))
@example(["2026-11-13 24:00:00", "2026-11-13 09:59:20"])
def test_times_of_one_form_are_read_as_each_by_itself(times: list[str]) -> None:
    parsed = parse(*(row(number, statustime=time) for number, time in enumerate(times)))

    for each, time in zip(parsed, times, strict=True):
        try:
            moment = datetime.datetime.fromisoformat(time)
        except ValueError:
            assert isinstance(each, Rejected)
        else:
            assert isinstance(each, Event)
            assert each.statustime == str(moment)


FORMS: dict[str, list[object]] = {
    "jobid": ["3081412", 3081412, "", None, " 7 "],
    "statusid": ["P1", 17, " P2\t"],
    "billnum": ["21979215", 0, "", " 1 "],
    "statustype": ["payment", "comment", "Payment "],
    "statustime": ["2026-11-13 09:59:20", "2026-11-13", "2026-11-13T09:59+02", "2026-11-13 09:59:20.5", "soon", ""],
    "statusref": ["", None, "ä€😀", "1:2"],
    "statustext": ["1", 8, "Viesti\nkahdella rivillä", "\\N"],
    "statuscode": ["", "101", 98, None],
    "paydate": ["", None, "2015-11-13", "2015-11-13T00:00:00Z", "13.11.2015"],
    "amount": ["96.72", 96.70, "-1", "", None, "a lot"],
}
ROWS = st.fixed_dictionaries({field: st.sampled_from(forms) for field, forms in FORMS.items()})
FINE = {field: forms[:2] for field, forms in FORMS.items()}
FINE_ROWS = st.fixed_dictionaries({field: st.sampled_from(forms) for field, forms in FINE.items()})


@given(st.lists(FINE_ROWS, min_size=1, max_size=5) | st.lists(ROWS, min_size=1, max_size=3))
def test_a_row_comes_to_the_same_beside_a_bad_one_and_beside_good_ones(rows: list[dict[str, object]]) -> None:
    # Beside a bad row each of them ends up alone or among few, and else they are taken together.
    assert parse(*rows) == parse(*rows, "bad")[:-1]
    assert parse(*rows, *rows)[: len(rows)] == parse(*rows, "bad", *rows, "bad")[: len(rows)]


@pytest.mark.parametrize("count", [ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1])
def test_rows_keep_their_places_in_a_long_answer(count: int) -> None:
    parsed = parse("bad", *(row(number, statusid=None) for number in range(count)))

    assert [each.ordinal for each in parsed] == list(range(count + 1))
    assert len({each.statusid for each in parsed if isinstance(each, Event)}) == count
