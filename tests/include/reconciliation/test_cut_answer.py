"""A date answer that was possibly cut: what is missing is looked for, and only proof makes the date complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.reconciliation import cut_answer
from include.status_store import page_events
from include.status_store.database import connect
from include.status_store.journal import Journal
from include.status_store.parsing import parse_rows
from include.status_store.reread import Reread
from include.status_store.session import Session
from include.status_store.source import PollRefusedError, PollUnsentError
from tests.include.reconciliation.asking import KnowingSource, asking, payment
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from include.reconciliation.reconcile import Reconciliation
    from include.status_store.event import ParsedPage
    from tests.include.reconciliation.world import World

NEXT = DAY.replace(day=11)
NIGHT = at("2026-03-10 23:30")


class CuttingSource(KnowingSource):
    """Answers a date with no more than three rows, whatever there is."""

    def poll(self, **filters: Any) -> Any:
        all_rows, day = self.rows, filters.get("date")
        if day:
            self.rows = [row for row in all_rows if str(row["statustime"]).startswith(str(day))][:3]
        try:
            return super().poll(**filters)
        finally:
            self.rows = all_rows


@pytest.fixture
def world(world: World) -> World:
    """A world whose date answers are taken for cut at three rows, on a day on which three invoices were paid."""
    world.profile = msgspec.structs.replace(world.profile, date_cap=3)
    world.know_all()
    for billnum in "123":
        world.row(billnum, "paid", paid="100")
        world.comment(billnum, "98")
    return world


def _run(world: World, source: KnowingSource, *, once: bool = False) -> Reconciliation:
    """Re-read the date and reconcile it, as a run does."""
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        poll_id = Reread(session, source, Journal(world.profile)).by_date(DAY).poll_id
    world.store("UPDATE ropo.status_poll SET opened_at = %s WHERE poll_id = %s", (NIGHT, poll_id))
    with asking(world, source, once=once) as inquiries:
        return world.reconcile(reread_poll_id=poll_id, now=NIGHT, inquiries=inquiries)


def _told(world: World) -> tuple[bool | None, str]:
    query = (
        "SELECT shown_complete, completeness FROM ropo.status_poll WHERE kind = 'date' ORDER BY poll_id DESC LIMIT 1"
    )
    [row] = world.store(query)
    return row


def _not_of_invoice_3(rows: list[bytes], zone: ZoneInfo) -> ParsedPage:
    """A parser that cannot take the answer to invoice 3's number."""
    if len(rows) == 1 and b'"billnum": "3"' in rows[0]:
        raise RuntimeError("a page of a form of its own")
    return parse_rows(rows, zone)


def _three() -> list[dict[str, object]]:
    return [payment(billnum, "100") for billnum in "123"]


def test_complete_where_every_invoice_was_asked_about_and_nothing_more_came(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")  # nothing else is held for the date
    source = CuttingSource(*_three())

    result = _run(world, source)

    assert source.asked == ["1", "2", "3"]
    assert (result.verdict, result.matched, result.reasons) == ("reconciled", 3, [])
    assert _told(world) == (
        True, "each of the date's 3 invoices was asked about, and nothing more of the date came",
    )  # fmt: skip
    # The next re-read shows the same: what was proven holds on, and nobody is asked again.
    assert _run(world, source).verdict == "reconciled"
    assert source.asked == ["1", "2", "3"]
    # Once something new has come for the date, it is looked for again.
    world.payment("3", "1", seen=at("2026-11-30 10:00"), jobid="J3")
    _run(world, source)
    assert source.asked == ["1", "2", "3", "3", "1", "2"]


def test_what_the_answer_lacked_is_found_and_the_date_stays_incomplete(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")
    world.row("4", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    source = CuttingSource(*_three(), payment("4", "100"))

    result = _run(world, source)

    # The invoices that differ are asked about first.
    assert source.asked == ["4", "1", "2", "3"]
    assert (result.verdict, result.matched, [reason.word for reason in result.reasons]) == (
        "incomplete", 4, ["reread_cut"],
    )  # fmt: skip
    why = "1 changes of the date came by invoice number that it did not show: it was cut"
    assert _told(world) == (False, why)
    assert why in result.reasons[0].text
    # By the recheck of the following nights the invoices are not all asked about again.
    _run(world, source, once=True)
    assert len(source.asked) == 4


def test_incomplete_where_the_answer_did_not_show_what_is_held(world: World) -> None:
    result = _run(world, CuttingSource(*_three()))
    assert {reason.word for reason in result.reasons} == {"reread_cut", "reread_contradicted"}
    assert _told(world) == (False, "it did not show 3 events that were held for the date")


@pytest.mark.parametrize(
    ("trouble", "complete", "why"),
    [
        ("failure", None, "2 of 3 invoices were asked about by their number: unreachable"),
        ("many", False, "2 of 3 invoices were asked about by their number: 1 more than are asked about one by one"),
        ("unnamed", False, "3 of 4 invoices were asked about by their number: 1 without a number to ask by"),
        ("refusal", False, "2 of 3 invoices were asked about by their number: 1 refused by Ropo One"),
        (
            "nonsense",
            False,
            "3 of 3 invoices were asked about by their number: 1 with an answer that could not be parsed",
        ),
    ],
)
def test_incomplete_where_not_every_invoice_could_be_asked_about(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: str, complete: bool | None, why: str
) -> None:
    world.store("DELETE FROM ropo.status_event")
    source = CuttingSource(*_three())
    if trouble == "failure":
        source.failing = {"3": PollUnsentError("unreachable")}
    elif trouble == "many":
        monkeypatch.setattr(cut_answer, "MAX_INVOICES", 2)
    elif trouble == "refusal":
        source.failing = {"3": PollRefusedError("no", http_status=404)}
    elif trouble == "nonsense":
        monkeypatch.setattr(page_events, "parse_rows", _not_of_invoice_3)
    else:
        world.comment(None, "98", "2026-03-09 09:00", jobid="J9")
    result = _run(world, source)
    assert result.reasons[0].word == "reread_cut"
    assert _told(world) == (complete, why)


def test_dates_for_which_there_is_no_room_are_left_to_another_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_answer, "MAX_INVOICES", 4)
    world.store("DELETE FROM ropo.status_event")
    source = CuttingSource(*_three(), *(payment(billnum, "100", str(NEXT)) for billnum in "567"))
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        for day in (DAY, NEXT):
            Reread(session, source, Journal(world.profile)).by_date(day)
            world.reconcile(day)
    world.store("UPDATE ropo.status_poll SET opened_at = '2026-03-12 00:00+00' WHERE possibly_cut")
    with asking(world, source) as inquiries:
        found = world.recheck(NEXT + (NEXT - DAY), now=at("2026-03-12 08:00"), inquiries=inquiries)
    assert source.asked == ["1", "2", "3"]
    cut = [any(reason.word == "reread_cut" for reason in each.reconciliation.reasons) for each in found.changed]
    assert cut == [False, True]
