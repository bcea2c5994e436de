"""What people decide about breaks, and that the history tells how each break stands."""

from __future__ import annotations

import datetime
import random
import threading
from contextlib import closing
from typing import Any

import msgspec
import pytest

from include.reconciliation import reconcile as module
from include.reconciliation.break_states import work_in
from include.reconciliation.decisions import BreakDecisionError, accept_breaks, comment_breaks, reopen_breaks
from include.status_store.database import connect
from include.status_store.session import Session
from include.watch.verdicts import RedVerdicts
from tests.include.reconciliation.world import DAY, World, at
from tests.include.watch.records import told

OVER = at("2026-03-12 08:00")
ONE = datetime.timedelta(days=1)


def broken(world: World, *billnums: str) -> list[int]:
    """Invoices that Ropo says are paid, and the ledger does not; their breaks."""
    for billnum in billnums:
        world.payment(billnum, "100")
        world.row(billnum)
    world.reconcile(now=OVER)
    return [row[0] for row in world.store("SELECT break_id FROM ropo.reconciliation_break ORDER BY break_id")]


def accept(world: World, ids: list[int], **options: Any) -> int:
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        return accept_breaks(cursor, ids, **{"by": "Anna", "note": "known", **options})


def comment(world: World, ids: list[int], note: str = "asked Ropo", **options: Any) -> int:
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        return comment_breaks(cursor, ids, by="Otto", note=note, **options)


def states(world: World) -> list[str]:
    return [row[0] for row in world.store("SELECT state FROM ropo.reconciliation_break ORDER BY break_id")]


# ----- accept and comment


def test_accepting_freezes_what_was_accepted_and_says_who_when_and_why(world: World) -> None:
    [first] = broken(world, "1")
    assert accept(world, [first, first], by=" Anna ", note=" a known delay ") == 1
    assert world.store(
        "SELECT state, accepted_by, accepted_note, accepted_evidence = evidence FROM ropo.reconciliation_break"
    ) == [("accepted", "Anna", "a known delay", True)]
    assert world.store(
        "SELECT by_whom, kind, note, event.evidence = accepted_evidence, at = accepted_at, reconciliation_id "
        "FROM ropo.reconciliation_break_event AS event JOIN ropo.reconciliation_break USING (break_id) "
        "WHERE kind = 'accepted'"
    ) == [("Anna", "accepted", "a known delay", True, True, None)]


@pytest.mark.parametrize(
    ("options", "error"),
    [({"note": " \n"}, "note: expected a text"), ({"by": ""}, "by: expected a text")],
)
def test_a_name_and_a_note_are_required(world: World, options: dict[str, str], error: str) -> None:
    ids = broken(world, "1")
    with pytest.raises(ValueError, match=error):
        accept(world, ids, **options)
    assert states(world) == ["open"]


def test_many_are_accepted_in_one_call_or_none_of_them(world: World) -> None:
    ids = broken(world, *(str(number) for number in range(25)))
    accept(world, ids[:1])
    with pytest.raises(BreakDecisionError) as refused:
        accept(world, [*ids, 9999, 0, 2**70])
    assert str(refused.value) == f"Nothing was accepted: break 0 is unknown; break {2**70} is unknown"
    with pytest.raises(BreakDecisionError) as refused:
        accept(world, [*ids, 9999])
    assert str(refused.value) == f"Nothing was accepted: break {ids[0]} is accepted, not open; break 9999 is unknown"
    assert states(world).count("accepted") == 1
    assert accept(world, ids[1:]) == 24
    assert states(world).count("accepted") == 25
    with pytest.raises(BreakDecisionError, match="break 10 is accepted, not open; and 15 more"):
        accept(world, ids)


def test_a_break_of_another_profile_is_not_there_for_who_decides_of_this_one(world: World) -> None:
    [first] = broken(world, "1")
    for decide in (accept, comment):
        with pytest.raises(BreakDecisionError, match=f"break {first} is unknown"):
            decide(world, [first], profile="other")
    assert states(world) == ["open"]
    assert accept(world, [first], profile="default") == 1


def test_a_refusal_names_the_invoice_and_the_category_of_each_break(world: World) -> None:
    ids = broken(world, "1", "2")
    accept(world, ids[:1])
    with pytest.raises(BreakDecisionError) as refused:
        accept(world, [*ids, 9999])
    assert [(each.break_id, each.why, each.billnum, each.category) for each in refused.value.refused] == [
        (ids[0], "accepted, not open", "1", "ledger_behind"),
        (9999, "unknown", None, None),
    ]
    assert refused.value.what == "accepted"


def test_what_changed_since_it_was_shown_is_not_accepted_unseen(world: World) -> None:
    ids = broken(world, "1", "2")
    [(shown,)] = world.store("SELECT max(event_id) FROM ropo.reconciliation_break_event")
    comment(world, ids)
    world.ledger("UPDATE ropo_ledger SET total = 90000, open = 90000 WHERE billnum = '2'")
    world.reconcile(now=OVER)
    with pytest.raises(BreakDecisionError, match=f"break {ids[1]} is not as it was shown: it has changed since$"):
        accept(world, ids, shown_up_to=shown)
    assert accept(world, ids[:1], shown_up_to=shown) == 1
    assert states(world) == ["accepted", "open"]
    [(shown,)] = world.store("SELECT max(event_id) FROM ropo.reconciliation_break_event WHERE break_id = %s", ids[1:])
    assert accept(world, ids[1:], shown_up_to=shown) == 1, "as it is now"


def test_a_comment_changes_nothing_but_the_history(world: World) -> None:
    ids = broken(world, "1", "2")
    accept(world, ids[:1])
    before = world.store("SELECT * FROM ropo.reconciliation_break ORDER BY break_id")
    assert comment(world, ids) == 2
    assert world.store("SELECT * FROM ropo.reconciliation_break ORDER BY break_id") == before
    assert world.store("SELECT break_id, note FROM ropo.reconciliation_break_event WHERE by_whom = 'Otto'") == [
        (ids[0], "asked Ropo"),
        (ids[1], "asked Ropo"),
    ]
    with pytest.raises(BreakDecisionError, match="Nothing was commented: break 77 is unknown"):
        comment(world, [*ids, 77])
    with pytest.raises(ValueError, match="at least one break"):
        comment(world, [])


def test_accepting_beside_a_run_that_found_a_change_waits_and_sees_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = broken(world, "1")
    [(shown,)] = world.store("SELECT max(event_id) FROM ropo.reconciliation_break_event")
    world.ledger("UPDATE ropo_ledger SET total = 90000, open = 90000")
    with monkeypatch.context() as held:
        held.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.reconcile(now=OVER)
    refused: list[Exception] = []

    def decide() -> None:
        try:
            accept(world, [first], shown_up_to=shown)
        except BreakDecisionError as error:
            refused.append(error)

    thread = threading.Thread(target=decide)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        work_in(cursor, world.profile)
        thread.start()
        while thread.is_alive() and world.store(waiting) == [(0,)]:
            thread.join(timeout=0.05)
    thread.join(timeout=240)
    assert ["changed since" in str(error) for error in refused] == [True]
    assert states(world) == ["open"]


def test_accepting_and_reconciling_at_once_is_one_after_the_other(world: World) -> None:
    ids = broken(world, *(str(number) for number in range(12)))
    world.ledger("UPDATE ropo_ledger SET total = 300, open = 300 WHERE billnum::int %% 2 = 0")
    errors: list[Exception] = []

    def guarded(work: Any) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(lambda: world.reconcile(now=OVER),)) for _ in range(2)]
    threads += [
        threading.Thread(target=guarded, args=(lambda each=each: accept(world, each),))
        for each in (ids[::-1][:6], ids[:6])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert errors == []
    world.reconcile(now=OVER)
    # What was accepted before the change came is open again; what was accepted with it stays.
    assert world.store(
        "SELECT count(*) FROM ropo.reconciliation_break WHERE state = 'accepted' AND evidence <> accepted_evidence"
    ) == [(0,)]
    assert world.store("SELECT DISTINCT evidence ->> 'ledger_total' FROM ropo.reconciliation_break ORDER BY 1") == [
        ("100",), ("300",),
    ]  # fmt: skip
    require_consistent(world)


def test_a_recheck_turns_a_date_green_by_what_was_accepted_and_red_when_that_changes_unseen(world: World) -> None:
    world.know_all()
    ids = broken(world, "1")
    nights = (at("2026-03-13 00:00"), at("2026-03-14 00:00"), at("2026-03-15 00:00"))
    accept(world, ids)
    [green] = world.recheck(DAY + ONE, now=nights[0]).changed
    assert (green.reconciliation.verdict, green.reconciliation.accepted) == ("reconciled", 1)
    # It is looked at again, though it is green: an ERP need not say when a row was changed.
    again = world.recheck(DAY + ONE, now=nights[1])
    assert (again.dates, again.changed) == (1, [])
    world.ledger("UPDATE ropo_ledger SET total = 90000, open = 90000")
    [red] = world.recheck(DAY + ONE, now=nights[2]).changed
    assert (red.before, red.reconciliation.verdict) == ("reconciled", "breaks")
    assert states(world) == ["open"]


# ----- the history


def require_consistent(world: World) -> None:
    """Every break stands as its events say, and every event could follow the one before it."""
    follows = {
        None: {"opened"},
        "open": {"changed", "accepted", "resolved", "commented"},
        "accepted": {"reopened", "resolved", "commented"},
        "resolved": {"reopened", "commented"},
    }
    leads_to = {"opened": "open", "reopened": "open", "accepted": "accepted", "resolved": "resolved"}
    found = world.store(
        "SELECT break_id, state, evidence, accepted_evidence, "
        "(SELECT json_agg(json_build_array(kind, event.evidence) ORDER BY event_id) "
        "FROM ropo.reconciliation_break_event AS event WHERE event.break_id = known.break_id) "
        "FROM ropo.reconciliation_break AS known"
    )
    for _, state, evidence, accepted_evidence, events in found:
        told_state, last, accepted = None, None, None
        for kind, shown in events:
            assert kind in follows[told_state]
            told_state = leads_to.get(kind, told_state)
            last = shown if kind in ("opened", "changed", "reopened", "accepted") else last
            accepted = {"accepted": shown, "reopened": None}.get(kind, accepted)
        assert (told_state, last, accepted) == (state, evidence, accepted_evidence)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_the_history_tells_how_each_break_stands(world: World, seed: int) -> None:
    chance = random.Random(seed)
    invoices = [str(number) for number in range(6)]
    for billnum in invoices:
        world.payment(billnum, "100")
        world.row(billnum)

    def change() -> None:
        billnum, paid = chance.choice(invoices), chance.choice(["0", "40", "100"])
        world.ledger("DELETE FROM ropo_ledger WHERE billnum = %s", (billnum,))
        if chance.random() < 0.8:
            world.row(billnum, paid=paid)

    def of_state(state: str) -> list[int]:
        query = "SELECT break_id FROM ropo.reconciliation_break WHERE state = %s ORDER BY break_id"
        found = [row[0] for row in world.store(query, (state,))]
        return chance.sample(found, chance.randint(1, len(found))) if found else []

    def decide() -> None:
        if some := of_state("open"):
            accept(world, some)

    def think_better_of_it() -> None:
        if some := of_state("accepted"):
            with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
                reopen_breaks(cursor, some, by="Otto", note="not so")

    result = world.reconcile(now=OVER)
    for _ in range(10):
        chance.choice([change, change, decide, think_better_of_it])()
        result = world.reconcile(now=OVER)
        items = world.items(result)
        stands = {
            (row[0], row[1]): row[2]
            for row in world.store("SELECT invoice_key, category, state FROM ropo.reconciliation_break")
        }
        wanted = {
            (key, item["category"]): "accepted" if item["is_accepted"] else "open"
            for key, item in items.items()
            if item["category"] != "matched" and item["pending_until"] is None
        }
        assert {each: state for each, state in stands.items() if state != "resolved"} == wanted
        assert (result.breaks, result.accepted) == tuple(list(wanted.values()).count(s) for s in ("open", "accepted"))
    require_consistent(world)


# ----- alerts


def test_a_systemic_alert_counts_what_is_not_accepted(world: World) -> None:
    ids = broken(world, "1", "2", "3")
    capped = msgspec.structs.replace(world.profile, break_cap=2)
    with Session(lambda: connect(world.store_dsn)) as session:
        [systemic] = told(session, RedVerdicts(capped, OVER))
        assert "2026-03-10 has 3 breaks, more than 2: look for one cause of them all" in systemic.subject
        accept(world, ids[:1])
        world.reconcile(now=OVER)
        [listed] = told(session, RedVerdicts(capped, OVER))
    assert "2026-03-10 is red: incomplete (reread missing, no drain since), 2 breaks" in listed.subject
    assert [line.split(":")[0] for line in listed.text.splitlines() if line.startswith("- Invoice")] == [
        "- Invoice 2",
        "- Invoice 3",
    ]
