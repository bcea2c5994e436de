"""A person opens again what was accepted by mistake."""

from __future__ import annotations

import datetime
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from include.reconciliation import reconcile as module
from include.reconciliation.break_states import work_in
from include.reconciliation.decisions import BreakDecisionError, reopen_breaks
from include.status_store.database import connect
from tests.include.reconciliation.differing import HOUR, history, mend
from tests.include.reconciliation.differing import states as standing
from tests.include.reconciliation.test_breaks import OVER, accept, broken, comment, require_consistent, states
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

ONE = datetime.timedelta(days=1)
ACCEPTANCE = "SELECT accepted_at, accepted_by, accepted_note, accepted_evidence FROM ropo.reconciliation_break"


def reopen(world: World, ids: list[int], **options: Any) -> int:
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        return reopen_breaks(cursor, ids, **{"by": "Otto", "note": "the wrong customer", **options})


def test_it_is_open_as_it_was_and_its_history_says_who_when_and_why(world: World) -> None:
    [first] = broken(world, "1")
    everything = "SELECT * FROM ropo.reconciliation_break"
    before = world.store(everything)
    accept(world, [first])
    assert reopen(world, [first, first], by=" Otto ", note=" the wrong customer ") == 1
    assert world.store(everything) == before, "its age, when it was seen and its evidence stay; no acceptance is left"
    assert world.store(ACCEPTANCE) == [(None, None, None, None)]
    assert history(world) == [("opened", None), ("accepted", "known"), ("reopened", "the wrong customer")]
    assert world.store(
        "SELECT by_whom, event.evidence = known.evidence, reconciliation_id, at > now() - interval '1 hour' "
        "FROM ropo.reconciliation_break_event AS event JOIN ropo.reconciliation_break AS known USING (break_id) "
        "WHERE kind = 'reopened'"
    ) == [("Otto", True, None, True)]
    require_consistent(world)


@pytest.mark.parametrize(
    ("options", "error"),
    [({"note": " \n"}, "note: expected a text"), ({"by": ""}, "by: expected a text")],
)
def test_a_name_and_a_note_are_required(world: World, options: dict[str, str], error: str) -> None:
    ids = broken(world, "1")
    accept(world, ids)
    with pytest.raises(ValueError, match=error):
        reopen(world, ids, **options)
    with pytest.raises(ValueError, match="at least one break"):
        reopen(world, [])
    assert states(world) == ["accepted"]


def test_all_are_opened_again_or_none_of_them(world: World) -> None:
    ids = broken(world, "1", "2", "3", "4")
    accept(world, ids[:3])
    mend(world, "3")
    world.reconcile(now=OVER)
    with pytest.raises(BreakDecisionError) as refused:
        reopen(world, [*ids, 9999])
    assert str(refused.value) == (
        f"Nothing was opened again: break {ids[2]} is resolved, not accepted; break {ids[3]} is open, not accepted; "
        "break 9999 is unknown"
    )
    assert refused.value.what == "opened again"
    assert [(each.break_id, each.why, each.billnum, each.category) for each in refused.value.refused] == [
        (ids[2], "resolved, not accepted", "3", "ledger_behind"),
        (ids[3], "open, not accepted", "4", "ledger_behind"),
        (9999, "unknown", None, None),
    ]
    assert states(world) == ["accepted", "accepted", "resolved", "open"]
    assert reopen(world, ids[:2]) == 2
    assert states(world) == ["open", "open", "resolved", "open"]


def test_a_break_of_another_profile_is_not_there(world: World) -> None:
    [first] = broken(world, "1")
    accept(world, [first])
    with pytest.raises(BreakDecisionError, match=f"break {first} is unknown"):
        reopen(world, [first], profile="other")
    assert reopen(world, [first], profile="default") == 1


def test_what_changed_since_it_was_shown_is_not_opened_unseen(world: World) -> None:
    ids = broken(world, "1", "2")
    accept(world, ids)
    [(shown,)] = world.store("SELECT max(event_id) FROM ropo.reconciliation_break_event")
    comment(world, ids)
    # Somebody else thought of the second one the same, and then better of it.
    reopen(world, ids[1:])
    accept(world, ids[1:], note="agreed by phone")
    with pytest.raises(BreakDecisionError, match=f"break {ids[1]} is not as it was shown: it has changed since$"):
        reopen(world, ids, shown_up_to=shown)
    assert reopen(world, ids[:1], shown_up_to=shown) == 1
    assert states(world) == ["open", "accepted"]


def test_of_two_people_at_once_one_opens_it_and_the_other_is_told(world: World) -> None:
    [first] = broken(world, "1")
    accept(world, [first])
    told: list[str] = []

    def second() -> None:
        try:
            reopen(world, [first], by="Pia")
        except BreakDecisionError as error:
            told.append(str(error))

    thread = threading.Thread(target=second)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        reopen_breaks(cursor, [first], by="Otto", note="the wrong customer")
        thread.start()
        while thread.is_alive() and world.store(waiting) == [(0,)]:
            thread.join(timeout=0.05)
    thread.join(timeout=240)
    assert told == [f"Nothing was opened again: break {first} is open, not accepted"]
    assert [kind for kind, _ in history(world)] == ["opened", "accepted", "reopened"]


def test_the_verdict_follows_with_the_next_comparison_and_what_was_recorded_stays(world: World) -> None:
    reread = world.know_all()
    ids = broken(world, "1")
    accept(world, ids)
    green = world.reconcile(now=OVER, reread_poll_id=reread)
    recorded = world.items(green)
    assert (green.verdict, recorded["b:1"]["is_accepted"]) == ("reconciled", True)
    reopen(world, ids)
    assert world.items(green) == recorded
    assert world.verdicts()[-1] == "reconciled"
    [red] = world.recheck(DAY + ONE, now=at("2026-03-13 00:00")).changed
    assert (red.before, red.reconciliation.verdict) == ("reconciled", "breaks")
    assert (red.reconciliation.breaks, red.reconciliation.accepted) == (1, 0)
    assert world.items(green) == recorded
    # It lives on as any open break does.
    assert states(world) == ["open"]
    accept(world, ids, note="now it is right")
    assert world.recheck(DAY + ONE, now=at("2026-03-14 00:00")).changed[0].reconciliation.verdict == "reconciled"
    mend(world)
    world.recheck(DAY + ONE, now=at("2026-03-15 00:00"))
    assert states(world) == ["resolved"]
    require_consistent(world)


def test_one_that_is_accepted_in_place_of_another_is_another_result_of_their_date(world: World) -> None:
    """Numbers and sums are as they were, and so are both sides of each invoice."""
    world.know_all()
    ids = broken(world, "1", "2")
    accept(world, ids[:1])
    world.recheck(DAY + ONE, now=at("2026-03-13 00:00"))
    reopen(world, ids[:1])
    accept(world, ids[1:])
    [changed] = world.recheck(DAY + ONE, now=at("2026-03-14 00:00")).changed
    assert {key: item["is_accepted"] for key, item in world.items(changed.reconciliation).items()} == {
        "b:1": False, "b:2": True,
    }  # fmt: skip


def test_a_comparison_that_began_before_does_not_accept_it_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.know_all()
    ids = broken(world, "1")
    accept(world, ids)
    with monkeypatch.context() as held:
        held.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        assert world.reconcile(now=OVER).accepted == 1
    reopen(world, ids)
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        work_in(cursor, world.profile)
    assert states(world) == ["open"]
    assert world.recheck(DAY + ONE, now=at("2026-03-13 00:00")).changed[0].reconciliation.breaks == 1


def test_an_acceptance_that_went_with_the_invoices_name_ends_under_all_of_its_names(world: World) -> None:
    ids = broken(world, "1")
    accept(world, ids)
    world.row("1", jobid="NEW", changed_at=at("2026-03-12 08:00"))
    assert world.reconcile(now=OVER + HOUR).accepted == 1
    assert standing(world) == [("b:1", "ledger_behind", "resolved"), ("j:J1", "ledger_behind", "accepted")]
    with pytest.raises(BreakDecisionError, match="is resolved, not accepted"):
        reopen(world, ids)
    reopen(world, [ids[0] + 1])
    assert world.reconcile(now=OVER + 2 * HOUR).accepted == 0
    # Back under the first name it is not accepted either.
    world.ledger("DELETE FROM ropo_ledger WHERE jobid = 'NEW'")
    back = world.reconcile(now=OVER + 3 * HOUR)
    assert (back.accepted, back.breaks) == (0, 1)
    assert standing(world) == [("b:1", "ledger_behind", "open"), ("j:J1", "ledger_behind", "resolved")]
