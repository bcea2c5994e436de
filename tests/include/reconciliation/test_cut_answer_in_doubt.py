"""An earlier proof that a date was complete says nothing of what a doubtful poll may have taken since.

Ropo One cuts the date's answer at three rows. The invoices 1 to 3 are known; of 4 a drain poll took the only change,
and its answer was lost.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.status_store.attention import accept_doubt
from include.status_store.database import connect
from include.status_store.journal import Journal
from include.status_store.mark_in_doubt import mark_in_doubt
from include.status_store.recovery import Recovery
from include.status_store.reread import Reread
from include.status_store.session import Session
from include.status_store.source import PollInDoubtError
from tests.include.reconciliation.asking import KnowingSource, asking, payment
from tests.include.reconciliation.world import DAY
from tests.include.status_store.scripted_source import EMPTY, page
from tests.include.status_store.views import drain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from include.reconciliation.recorded import Recorded
    from include.status_store.recovery import RecoverySummary
    from include.status_store.source import Answer
    from tests.include.reconciliation.world import World

NOW = datetime.datetime(2026, 3, 11, 8, tzinfo=datetime.UTC)
THREE = [payment(billnum, "100") for billnum in "123"]
LOST = payment("4", "100")


class CappedSource(KnowingSource):
    """Answers a date with no more than ``cap`` rows.

    :ivar lost: what the next poll of the queue takes, and loses on its way.
    :ivar meanwhile: done before the next question by invoice number is answered.
    :ivar instead: answers to the next questions by date, None for the right one.
    """

    cap = 3
    lost: dict[str, object] | None = None
    meanwhile: Callable[[], object] | None = None
    instead: Sequence[Answer | None] = ()

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Any:
        if date is None and billnum is None:
            if self.lost is None:
                return EMPTY
            self.rows.append(self.lost)
            self.lost = None
            raise PollInDoubtError("timeout")
        if billnum is not None and self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        if date is not None and self.instead:
            answer, *self.instead = self.instead
            if answer is not None:
                return answer
        everything = self.rows
        self.rows = everything[: self.cap] if date else everything
        try:
            return super().poll(date=date, billnum=billnum)
        finally:
            self.rows = everything


@pytest.fixture
def world(world: World) -> World:
    world.profile = msgspec.structs.replace(world.profile, date_cap=3)
    world.know_all()
    for billnum in "123":
        world.row(billnum, "paid", paid="100")
    return world


@pytest.fixture
def source() -> CappedSource:
    return CappedSource(*THREE)


def look(world: World, source: CappedSource) -> Recorded:
    """Re-read the date and reconcile it, as a run does."""
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        poll_id = Reread(session, source, Journal(world.profile)).by_date(DAY).poll_id
    with asking(world, source) as inquiries:
        return world.reconcile(reread_poll_id=poll_id, now=NOW, inquiries=inquiries)


def lose(world: World, source: CappedSource) -> int:
    """A drain poll takes the change of invoice 4, and its answer is lost; returns the doubt. Its window is the date."""
    source.lost = LOST
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        drain(session, world.profile, source)
        drain(session, world.profile, source)
    [(doubt,)] = world.store(
        "UPDATE ropo.status_poll SET window_from = %s, window_to = %s "
        "WHERE poll_id = (SELECT max(poll_id) FROM ropo.status_poll WHERE recovery = 'pending') RETURNING poll_id",
        (DAY, DAY),
    )
    return int(doubt)


def recover(world: World, source: CappedSource) -> RecoverySummary:
    world.store("UPDATE ropo.status_poll_window_date SET asked_at = asked_at - interval '2 hours'")
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        return Recovery(session, source, Journal(world.profile), max_seconds=60).run()


def accept(world: World, doubt: int) -> None:
    with Session(lambda: connect(world.store_dsn), patience=30) as session, session.transaction() as cursor:
        accept_doubt(cursor, doubt, by="Anna", note="looked up at Ropo", not_asked=True)


def told(world: World) -> tuple[bool | None, str | None]:
    """What the newest re-read says of itself."""
    query = (
        "SELECT shown_complete, completeness FROM ropo.status_poll WHERE kind = 'date' ORDER BY poll_id DESC LIMIT 1"
    )
    [row] = world.store(query)
    return row


def words(result: Recorded) -> list[str]:
    return [reason.word for reason in result.reasons]


PROVEN = (True, "each of the date's 3 invoices was asked about, and nothing more of the date came")


def proven(world: World, source: CappedSource) -> int:
    """The date is proven complete, by invoice number; returns the re-read."""
    assert look(world, source).verdict == "reconciled"
    assert told(world) == PROVEN
    [(poll_id,)] = world.store("SELECT max(poll_id) FROM ropo.status_poll WHERE kind = 'date'")
    return int(poll_id)


def test_a_doubt_is_not_recovered_by_a_proof_from_before_it(world: World, source: CappedSource) -> None:
    before = proven(world, source)
    doubt = lose(world, source)

    summary = recover(world, source)

    assert (summary.whole, summary.unproven, summary.recovered) == (0, 1, 0)
    why = f"poll {before} was shown complete, but poll {doubt} may have lost changes of the date that nobody holds"
    assert world.store("SELECT recovery, recovery_reason FROM ropo.status_poll WHERE poll_id = %s", (doubt,)) == [
        ("unproven", f"{DAY}: the answer had 3 rows, the most that one may have: it was possibly cut; {why}")
    ]
    assert told(world) == (None, why)
    result = look(world, source)
    assert (result.verdict, words(result)) == ("incomplete", ["reread_cut", "doubt_not_recovered"])
    assert why in result.reasons[0].text
    # Once the date is shown whole, what was lost is found.
    source.cap = 5
    assert recover(world, source).recovered == 1
    assert world.store("SELECT billnum FROM ropo.status_event WHERE billnum = '4'") == [("4",)]


@pytest.mark.parametrize("nothing", [EMPTY, page()], ids=["204", "empty list"])
def test_a_doubt_is_not_recovered_by_one_answer_without_rows(
    world: World, source: CappedSource, nothing: Answer
) -> None:
    lose(world, source)
    source.instead = [None, nothing]

    summary = recover(world, source)

    assert (summary.whole, summary.unproven, summary.recovered) == (0, 1, 0)
    for _ in range(2):
        result = look(world, source)
        assert (result.verdict, words(result)) == ("incomplete", ["reread_cut", "doubt_not_recovered"])
    assert told(world) == (None, None)


def test_while_a_doubt_waits_nobody_is_asked_and_nothing_is_proven(world: World, source: CappedSource) -> None:
    lose(world, source)

    result = look(world, source)

    assert source.asked == []
    assert (result.verdict, told(world)) == ("incomplete", (None, None))
    assert recover(world, source).unproven == 1
    assert look(world, source).verdict == "incomplete"


def test_a_proof_that_was_written_while_a_doubt_waited_does_not_recover_it(world: World, source: CappedSource) -> None:
    """As earlier versions wrote it: each invoice that was known had been asked about."""
    doubt = lose(world, source)
    look(world, source)
    [(before,)] = world.store(
        "UPDATE ropo.status_poll SET shown_complete = true, completeness = 'each was asked about' "
        "WHERE poll_id = (SELECT max(poll_id) FROM ropo.status_poll WHERE kind = 'date') RETURNING poll_id"
    )

    assert recover(world, source).recovered == 0
    assert told(world) == (
        None, f"poll {before} was shown complete, but poll {doubt} may have lost changes of the date that nobody holds",
    )  # fmt: skip


def test_a_doubt_that_comes_up_while_the_invoices_are_asked_about_leaves_it_open(
    world: World, source: CappedSource
) -> None:
    doubts: list[int] = []
    source.meanwhile = lambda: doubts.append(lose(world, source))

    result = look(world, source)

    assert source.asked == ["1", "2", "3"]
    asked = "3 of 3 invoices were asked about by their number"
    why = f"{asked}: poll {doubts[0]} may have lost changes of invoices that nobody knows"
    assert (result.verdict, told(world)) == ("incomplete", (None, why))
    assert recover(world, source).unproven == 1


def test_a_proof_from_before_a_span_that_is_marked_in_doubt_is_not_relied_on(
    world: World, source: CappedSource
) -> None:
    proven(world, source)
    source.rows.append(LOST)  # drained, and kept by a store that is no more
    moment = datetime.datetime.combine(DAY, datetime.time(12), datetime.UTC)
    with Session(lambda: connect(world.store_dsn), patience=30) as session, session.transaction() as cursor:
        mark_in_doubt(cursor, world.profile, moment, moment, by="Anna", note="restored")

    summary = recover(world, source)

    assert (summary.unproven, summary.recovered) == (1, 0)
    assert look(world, source).verdict == "incomplete"


def test_after_a_doubt_was_accepted_the_date_needs_a_proof_of_its_own_once(world: World, source: CappedSource) -> None:
    before = proven(world, source)
    doubt = lose(world, source)
    recover(world, source)
    accept(world, doubt)
    source.asked.clear()
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        Reread(session, source, Journal(world.profile)).by_date(DAY)
    why = f"poll {before} was shown complete, but poll {doubt} may have lost changes of the date that nobody holds"
    assert told(world) == (None, why)

    # A person has accepted that what was lost may stay unknown: no verdict waits for it any more.
    assert look(world, source).verdict == "reconciled"
    assert (source.asked, told(world)) == (["1", "2", "3"], PROVEN)
    assert look(world, source).verdict == "reconciled"
    assert source.asked == ["1", "2", "3"]
    # And another doubt is another one.
    source.rows.remove(LOST)
    lose(world, source)
    assert recover(world, source).recovered == 0


def test_a_proof_after_a_doubt_was_recovered_is_relied_on(world: World, source: CappedSource) -> None:
    lose(world, source)
    source.rows = THREE[:2]
    assert recover(world, source).recovered == 1
    source.rows = list(THREE)
    after = proven(world, source)

    assert look(world, source).verdict == "reconciled"
    assert (source.asked, told(world)) == (
        ["1", "2", "3"], (True, f"poll {after} was, and nothing has come since"),
    )  # fmt: skip


def test_a_doubt_whose_window_does_not_hold_the_date_changes_nothing(world: World, source: CappedSource) -> None:
    before = proven(world, source)
    lose(world, source)
    source.rows.remove(LOST)
    earlier = DAY - datetime.timedelta(days=1)
    world.store(
        "UPDATE ropo.status_poll SET window_from = %s, window_to = %s WHERE recovery IS NOT NULL", (earlier, earlier)
    )

    assert look(world, source).verdict == "reconciled"
    assert (source.asked, told(world)) == (
        ["1", "2", "3"], (True, f"poll {before} was, and nothing has come since"),
    )  # fmt: skip


@pytest.mark.parametrize("window_from", [DAY, DAY + datetime.timedelta(days=1)])
def test_a_poll_that_was_sent_before_the_reread_and_has_no_outcome_may_have_lost_something(
    world: World, source: CappedSource, window_from: datetime.date
) -> None:
    """Its process died, and no drain has judged it yet."""
    before = proven(world, source)
    left_open = world.poll("drain", "open", window_from=window_from)

    result = look(world, source)

    assert source.asked == ["1", "2", "3"]
    why = f"poll {before} was shown complete, but poll {left_open} may have lost changes of the date that nobody holds"
    is_reached = window_from == DAY
    assert told(world) == ((None, why) if is_reached else (True, f"poll {before} was, and nothing has come since"))
    assert ("reread_cut" in words(result)) == is_reached


def poll_in_doubt(world: World, recovery: str = "pending", days: tuple[int, int] = (0, 0), **columns: str) -> int:
    """A poll of the queue in doubt whose window reaches from the one day, counted from the date, to the other."""
    window_from, window_to = (DAY + datetime.timedelta(days=day) for day in days)
    window = {"window_from": window_from, "window_to": window_to}
    return world.poll("drain", "in_doubt", closed_at=NOW, recovery=recovery, **window, **columns)


@pytest.mark.parametrize("recovery", ["pending", "unproven", "recovered", "accepted"])
@pytest.mark.parametrize("days", [(-1, -1), (-1, 0), (0, 0), (0, 1), (1, 1)])
def test_nobody_is_asked_while_a_doubt_waits_whose_window_holds_the_date(
    world: World, source: CappedSource, recovery: str, days: tuple[int, int]
) -> None:
    poll_in_doubt(world, recovery, days)

    look(world, source)

    waits = recovery in ("pending", "unproven") and days[0] <= 0 <= days[1]
    assert source.asked == ([] if waits else ["1", "2", "3"])


@pytest.mark.parametrize(
    ("kind", "columns", "waits"),
    [
        ("drain", {"window_from": DAY}, True),
        ("drain", {"window_from": DAY + datetime.timedelta(days=1)}, False),
        ("drain", {"profile": "other"}, False),
        # By date nothing is taken out of the queue.
        ("date", {"filter_value": str(DAY), "window_from": DAY}, False),
    ],
)
def test_nobody_is_asked_while_a_poll_of_the_queue_that_was_sent_before_the_reread_has_no_outcome(
    world: World, source: CappedSource, kind: str, columns: dict[str, Any], *, waits: bool
) -> None:
    world.poll(kind, "open", **columns)

    look(world, source)

    assert source.asked == ([] if waits else ["1", "2", "3"])


def test_a_doubt_of_another_profile_is_that_ones_alone(world: World, source: CappedSource) -> None:
    poll_in_doubt(world, profile="other")
    look(world, source)
    assert told(world) == PROVEN


def test_a_poll_that_is_sent_after_the_reread_took_nothing_before_it(world: World, source: CappedSource) -> None:
    source.meanwhile = lambda: world.poll("drain", "open")
    look(world, source)
    assert told(world) == PROVEN


def test_of_several_doubts_the_newest_is_told(world: World, source: CappedSource) -> None:
    doubts: list[int] = []
    source.meanwhile = lambda: doubts.extend(poll_in_doubt(world) for _ in range(2))
    look(world, source)
    assert f"poll {doubts[1]} may have lost changes" in str(told(world)[1])
