"""A date answer that was possibly cut: what is missing is looked for, and only proof makes the date complete."""

from __future__ import annotations

import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

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
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from include.reconciliation.recorded import Recorded
    from include.status_store.event import ParsedPage
    from tests.include.reconciliation.world import World

NEXT = DAY.replace(day=11)
NIGHT = at("2026-03-10 23:30")


class CuttingSource(KnowingSource):
    """Answers a date with no more than three rows, whatever there is; ``meanwhile`` is done while it does."""

    def __init__(self, *rows: dict[str, object], **options: Any) -> None:
        super().__init__(*rows, **options)
        self.meanwhile: list[Callable[[], object]] = []

    def poll(self, **filters: Any) -> Any:
        all_rows, day = self.rows, filters.get("date")
        if day:
            while self.meanwhile:
                self.meanwhile.pop()()
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


def _run(world: World, source: KnowingSource) -> Recorded:
    """Re-read the date and reconcile it, as a run does."""
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        poll_id = Reread(session, source, Journal(world.profile)).by_date(DAY).poll_id
    world.store("UPDATE ropo.status_poll SET opened_at = %s WHERE poll_id = %s", (NIGHT, poll_id))
    with asking(world, source) as inquiries:
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
    # Once something new has come for the date, as while it is asked about, it is looked for again.
    new = partial(world.payment, "3", "1", jobid="J3")
    source.meanwhile.append(lambda: new(seen=datetime.datetime.now(datetime.UTC)))
    _run(world, source)
    assert source.asked == ["1", "2", "3", "3", "1", "2"]


def test_what_the_answer_lacked_is_found_and_the_date_stays_incomplete(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")
    world.row("4", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    world.profile = msgspec.structs.replace(world.profile, grace_business_days=0)
    source = CuttingSource(*_three(), payment("4", "100"))

    result = _run(world, source)

    # The invoices that differ are asked about first.
    assert source.asked == ["4", "1", "2", "3"]
    assert (result.verdict, result.matched, [reason.word for reason in result.reasons]) == (
        "incomplete", 4, ["reread_cut"],
    )  # fmt: skip
    # One of them is a break, and asked about as such too.
    assert (result.second_opinions_asked, result.second_opinions_cleared) == (1, 1)
    why = "1 change of the date came by invoice number that it did not show: it was cut"
    assert _told(world) == (False, why)
    assert why in result.reasons[0].text
    # Run again it is cut by its own showing, and nobody is asked.
    assert _run(world, source).verdict == "incomplete"
    assert len(source.asked) == 4
    assert _told(world) == (False, "it did not show 1 event that was held for the date")


def test_a_change_that_only_a_question_moved_to_the_date_proves_that_the_answer_was_cut(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")
    world.row("4", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    world.payment("4", "100", "2026-03-09", statusid="P94", seen=at("2026-03-09 10:00"))
    source = CuttingSource(*_three(), payment("4", "100"))  # P94 is of the 10th by now

    result = _run(world, source)

    assert source.asked == ["1", "2", "3", "4"]
    assert [reason.word for reason in result.reasons] == ["reread_cut"]
    assert _told(world) == (False, "1 change of the date came by invoice number that it did not show: it was cut")


def test_a_change_that_the_answer_itself_moved_to_the_date_proves_nothing_where_a_question_shows_it_otherwise(
    world: World,
) -> None:
    world.store("DELETE FROM ropo.status_event")
    world.payment("1", "100", "2026-03-09", statusid="P91", seen=at("2026-03-09 10:00"))
    source = CuttingSource(*_three(), payment("1", "90"))  # of P91, too: by number alone, since it is the fourth row

    _run(world, source)

    amounts = "SELECT amount, statustime::date FROM ropo.status_event WHERE statusid = 'P91'"
    assert world.store(amounts) == [(90, DAY)]
    assert _told(world) == (
        True, "each of the date's 3 invoices was asked about, and nothing more of the date came",
    )  # fmt: skip


def test_a_date_of_which_no_invoice_is_in_scope_says_so(world: World) -> None:
    """All that the answer showed is of invoices from before the work began: nobody can be asked about."""
    world.profile = msgspec.structs.replace(world.profile, start_date=DAY)
    world.store("DELETE FROM ropo.status_event")
    world.ledger("UPDATE ropo_ledger SET sent_at = '2026-03-01 08:00Z'")
    source = CuttingSource(*_three())

    result = _run(world, source)

    assert (source.asked, result.out_of_scope, [reason.word for reason in result.reasons]) == ([], 3, ["reread_cut"])
    assert _told(world) == (False, "the date has no invoice in scope to ask about")


def test_nobody_is_asked_where_the_answer_did_not_show_what_is_held(world: World) -> None:
    source = CuttingSource(*_three())
    of_another_date = world.know_all(NEXT, possibly_cut=True)
    result = _run(world, source)
    assert source.asked == []
    assert {reason.word for reason in result.reasons} == {"reread_cut", "reread_contradicted"}
    assert _told(world) == (False, "it did not show 3 events that were held for the date")
    # Nothing is said of another date, which is not compared.
    judged = "SELECT shown_complete FROM ropo.status_poll WHERE poll_id = %s"
    assert world.store(judged, (of_another_date,)) == [(None,)]


def test_what_ropo_one_failed_to_answer_is_asked_by_the_next_run(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")
    source = CuttingSource(*_three(), failing={"3": PollUnsentError("unreachable")})
    result = _run(world, source)
    assert result.reasons[0].word == "reread_cut"
    assert _told(world) == (None, "2 of 3 invoices were asked about by their number: unreachable")
    source.failing = {}
    assert _run(world, source).verdict == "reconciled"


def test_an_answer_by_number_that_could_not_be_parsed_proves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store("DELETE FROM ropo.status_event")
    monkeypatch.setattr(page_events, "parse_rows", _not_of_invoice_3)
    result = _run(world, CuttingSource(*_three()))
    assert result.reasons[0].word == "reread_cut"
    asked = "3 of 3 invoices were asked about by their number"
    assert _told(world) == (False, f"{asked}: 1 with an answer that could not be parsed")


def test_a_date_with_more_numbers_than_may_be_asked_about_is_incomplete_and_nobody_is_asked(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")
    world.profile = msgspec.structs.replace(world.profile, cut_date_invoices=2)
    source = CuttingSource(*_three())
    for _ in range(2):
        result = _run(world, source)
        assert (source.asked, result.verdict) == ([], "incomplete")
        why = "the date has 3 invoice numbers, and no more than 2 may be asked about"
        assert _told(world) == (False, why)
        assert why in result.reasons[0].text
    # Where more may be asked about by now, they are.
    world.profile = msgspec.structs.replace(world.profile, cut_date_invoices=3)
    assert _run(world, source).verdict == "reconciled"
    assert source.asked == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("jobids", "why"),
    [
        (["J9"], "1 of the date's 4 invoices has no number to ask by"),
        (["J8", "J9"], "2 of the date's 5 invoices have no number to ask by"),
    ],
)
def test_a_date_with_an_invoice_without_a_number_is_incomplete_and_nobody_is_asked(
    world: World, jobids: list[str], why: str
) -> None:
    world.store("DELETE FROM ropo.status_event")
    for jobid in jobids:
        world.comment(None, "98", "2026-03-09 09:00", jobid=jobid)
    source = CuttingSource(*_three())
    result = _run(world, source)
    assert (source.asked, result.reasons[0].word) == ([], "reread_cut")
    assert _told(world) == (False, why)


def test_a_break_is_asked_about_again_though_its_date_cannot_be_shown_whole(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")
    world.profile = msgspec.structs.replace(world.profile, cut_date_invoices=2, grace_business_days=0)
    world.row("4", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    source = CuttingSource(*_three(), payment("4", "100"))
    result = _run(world, source)
    assert (source.asked, result.second_opinions_cleared) == (["4"], 1)
    assert _told(world) == (False, "the date has 4 invoice numbers, and no more than 2 may be asked about")


def test_the_same_numbers_are_not_asked_about_again_where_that_proved_nothing(world: World) -> None:
    world.store("DELETE FROM ropo.status_event")
    source = CuttingSource(*_three(), failing={"3": PollRefusedError("no such", http_status=404)})
    first = "2 of 3 invoices were asked about by their number: 1 refused by Ropo One"
    _run(world, source)
    assert (source.asked, _told(world)) == (["1", "2", "3"], (False, first))
    for _ in range(2):
        _run(world, source)
        assert len(source.asked) == 3
        assert _told(world) == (False, f"asked about before, its invoices did not show it complete: {first}")
    # Another number makes another set.
    world.row("4", changed_at=at("2026-03-10 08:00"))
    _run(world, source)
    assert source.asked[3:] == ["1", "2", "3", "4"]


def test_dates_for_which_there_is_no_room_are_left_to_another_run(world: World) -> None:
    world.profile = msgspec.structs.replace(world.profile, cut_date_invoices=4)
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


IN_VAIN = {"possibly_cut": True, "shown_complete": False, "completeness": "it was cut"}


def _reread(**columns: Any) -> tuple[str, dict[str, Any]]:
    return "date", IN_VAIN | columns


def _asked(outcome: str = "landed") -> tuple[str, dict[str, Any]]:
    return outcome, {}


@pytest.mark.parametrize(
    ("before", "is_in_vain"),
    [
        ([_reread(), _asked()], True),
        ([_reread(), _asked("empty")], True),
        ([_asked(), _reread(), _asked()], True),
        ([_reread(), _asked(), _asked("in_doubt")], True),
        ([_reread(), _asked("in_doubt")], False),
        ([_asked(), _reread()], False),
        ([_reread(absent_count=1), _asked()], False),
        ([_reread(shown_complete=None, completeness=None), _asked()], False),
        ([_reread(), _reread(shown_complete=None, completeness=None), _asked()], True),
        ([_reread(day=NEXT), _asked()], False),
        # The newest that they were asked about after is what counts.
        ([_reread(), _reread(shown_complete=True), _asked()], False),
        ([_reread(shown_complete=True), _reread(), _asked()], True),
        ([_reread(), _asked(), _reread(shown_complete=True)], True),
    ],
)
def test_asking_is_in_vain_where_each_was_asked_about_after_an_answer_that_this_did_not_prove(
    world: World, before: list[tuple[str, dict[str, Any]]], *, is_in_vain: bool
) -> None:
    for kind, columns in before:
        if kind == "date":
            world.know_all(**columns)
        else:
            for billnum in "123":
                world.poll("billnum", kind, filter_value=billnum, closed_at=NIGHT)
    source = CuttingSource()

    with asking(world, source) as inquiries:
        world.reconcile(reread_poll_id=world.know_all(possibly_cut=True), inquiries=inquiries)

    assert source.asked == ([] if is_in_vain else ["1", "2", "3"])


def test_a_reread_that_nobody_has_judged_yet_is_not_asked_about(world: World) -> None:
    source = CuttingSource()
    with asking(world, source) as inquiries:
        unjudged = world.know_all(possibly_cut=True, absent_count=None)
        world.reconcile(reread_poll_id=unjudged, inquiries=inquiries)
    assert source.asked == []
