"""An invoice that goes by another name is the same invoice, wherever two reconciliations are held side by side."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from include.reconciliation.signing import accept_incompleteness
from include.status_store.database import connect
from tests.include.reconciliation.month import (
    CUT,
    FIRST,
    HOUR,
    LAST,
    NOW,
    accepts,
    alerts,
    flags,
    run,
    run_all,
    signs,
    transaction,
    unmet,
)
from tests.include.reconciliation.world import at
from tests.include.watch.records import record

if TYPE_CHECKING:
    from include.config.profiles import Scope
    from tests.include.reconciliation.world import World

# An item's name, number and job.
Named = tuple[str, str | None, str | None]
OTHER_NAMES = """
SELECT item.invoice_key, other.invoice_key
FROM ropo.reconciliation_item AS item
CROSS JOIN LATERAL ropo.other_name(item, %s) AS other
WHERE item.reconciliation_id = %s
"""


def names(world: World, earlier: list[Named], later: list[Named]) -> dict[str, str]:
    """What the items of one reconciliation are named in the other, which is the same whichever is asked."""
    with closing(connect(world.store_dsn)) as store, store:
        ids = [
            record(
                store,
                FIRST,
                breaks=tuple(
                    {"category": "matched", "key": key, "billnum": billnum, "jobid": jobid}
                    for key, billnum, jobid in items
                ),
            )
            for items in (earlier, later)
        ]
    there = dict(world.store(OTHER_NAMES, (ids[1], ids[0])))
    back = dict(world.store(OTHER_NAMES, (ids[0], ids[1])))
    assert back == {now: former for former, now in there.items()}
    return there


def test_it_is_named_by_its_job(march: World) -> None:
    earlier: list[Named] = [("j:J1", "1", "J1"), ("j:J2", None, "J2"), ("b:3", "3", "J3")]
    later: list[Named] = [("b:1", "1", "J1"), ("b:2", "2", "J2"), ("b:33", "33", "J3")]
    assert names(march, earlier, later) == {"j:J1": "b:1", "j:J2": "b:2", "b:3": "b:33"}


def test_it_is_named_by_its_number_where_its_job_is_not_there(march: World) -> None:
    earlier: list[Named] = [("b:1", "1", None), ("j:J2", "2", "J2"), ("j:J3", "3", "J3")]
    later: list[Named] = [("j:J1", "1", "J1"), ("b:2", "2", "J22"), ("b:3", "3", None)]
    assert names(march, earlier, later) == {"b:1": "j:J1", "j:J2": "b:2", "j:J3": "b:3"}


def test_it_has_no_other_name_where_its_own_is_there(march: World) -> None:
    assert names(march, [("b:1", "1", "J1")], [("b:1", "1", None), ("j:J1", "1", "J1")]) == {}


def test_no_other_invoices_name_is_its_name(march: World) -> None:
    earlier: list[Named] = [("j:J1", "1", "J1"), ("b:1", "11", None), ("b:2", "2", None), ("j:J2", None, "J22")]
    later: list[Named] = [("b:1", "1", "J1"), ("j:J2", "2", "J2")]
    assert names(march, earlier, later) == {}


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_job_or_number_of_several_invoices_names_none_of_them(march: World, *, is_turned: bool) -> None:
    one: list[Named] = [("b:1", "1", None), ("b:2", None, "J2"), ("b:5", "5", "J5")]
    several: list[Named] = [
        ("j:J1", "1", "J1"),
        ("j:J11", "1", "J11"),
        ("b:3", None, "J2"),
        ("b:4", None, "J2"),
        # Its number is its own in both, its job is not.
        ("j:J5", "5", "J5"),
        ("b:6", None, "J5"),
    ]
    assert names(march, *((several, one) if is_turned else (one, several))) == {}


def test_a_number_names_nothing_whose_job_is_another_invoices_there(march: World) -> None:
    earlier: list[Named] = [("j:J1", "1", "J1"), ("b:2", "2", "J2")]
    later: list[Named] = [("j:J2", "1", "J2")]
    assert names(march, earlier, later) == {"b:2": "j:J2"}


def test_another_profiles_job_names_nothing(march: World) -> None:
    [(profile,)] = march.store("SELECT DISTINCT profile FROM ropo.status_poll")
    with closing(connect(march.store_dsn)) as store, store:
        item = {"category": "matched", "key": "j:J1", "billnum": "1", "jobid": "J1"}
        mine = record(store, FIRST, breaks=(item,), profile=profile)
        other = record(store, FIRST, breaks=({**item, "key": "b:1"},), profile="other")
    assert march.store(OTHER_NAMES, (other, mine)) == []


def _of_the_ledger_alone(world: World) -> None:
    """A paid invoice of the first date that the ledger has no jobid of, and Ropo One no word, beyond its grace."""
    sent = at("2026-03-30 08:00")
    world.row("9", "paid", paid="100", jobid=None, sent_at=sent, changed_at=sent)
    run(world, FIRST, now=at("2026-03-31 08:00"))


def _of_a_job_alone(world: World) -> None:
    """An invoice of the first date that Ropo One knows by its job alone, and that goes by the ledger's number."""
    world.payment(None, "100", "2026-03-30", jobid="J9", seen=at("2026-03-30 09:00"))
    world.row("9", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))


def _gets_its_jobid(world: World) -> None:
    world.ledger("UPDATE ropo_ledger SET jobid = 'J9' WHERE billnum = '9'")


@pytest.mark.parametrize("differs", [False, True])
def test_a_signed_month_is_not_changed_by_a_jobid_that_is_booked_since(march: World, *, differs: bool) -> None:
    if differs:
        _of_the_ledger_alone(march)
        run_all(march)
        accepts(march)
    else:
        march.row("9", jobid=None, sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
        run_all(march)
    signs(march)

    _gets_its_jobid(march)
    run(march, FIRST, now=NOW + HOUR)

    assert march.store("SELECT invoice_key FROM ropo.reconciliation_item WHERE jobid = 'J9'") == [("j:J9",)]
    assert (flags(march), unmet(march), alerts(march)) == ([], [], [])


def test_a_signed_month_is_not_changed_by_another_name_of_what_it_rests_on_in_another_category(march: World) -> None:
    _of_a_job_alone(march)
    run_all(march)
    accepts(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 50, discount = 50, open = 0 WHERE billnum = '9'")
    run(march, LAST, scope="full")
    accepts(march)
    signs(march)

    march.ledger("UPDATE ropo_ledger SET billnum = '99' WHERE billnum = '9'")
    [now] = march.items(run(march, FIRST, now=NOW + HOUR)).keys() - {"b:1"}

    shown = (
        "SELECT category, is_accepted FROM ropo.reconciliation_item WHERE invoice_key = %s ORDER BY reconciliation_id"
    )
    assert (now, march.store(shown, ("b:9",))[0]) == ("b:99", ("ledger_behind", False))
    assert march.store(shown, (now,)) == [("amount_mismatch", True)]
    assert flags(march) == []


def test_another_amount_under_another_name_is_a_change_of_a_signed_month(march: World) -> None:
    _of_the_ledger_alone(march)
    run_all(march)
    accepts(march)
    signs(march)

    _gets_its_jobid(march)
    march.ledger("UPDATE ropo_ledger SET paid = 50, total = 50 WHERE billnum = '9'")
    run(march, FIRST, now=NOW + HOUR)

    assert ("result_changed", FIRST) in flags(march)


@pytest.mark.parametrize("is_of_a_job", [False, True])
def test_what_was_accepted_under_a_former_name_and_is_mended_under_the_new_one_is_a_change_of_a_signed_month(
    march: World, *, is_of_a_job: bool
) -> None:
    (_of_a_job_alone if is_of_a_job else _of_the_ledger_alone)(march)
    run_all(march)
    accepts(march)
    signs(march)
    if is_of_a_job:
        march.ledger("UPDATE ropo_ledger SET billnum = '99' WHERE billnum = '9'")
    else:
        _gets_its_jobid(march)
    run(march, FIRST, now=NOW + HOUR)
    assert flags(march) == []

    if is_of_a_job:
        march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE jobid = 'J9'")
    else:
        march.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE jobid = 'J9'")
    run(march, FIRST, now=NOW + 2 * HOUR)

    assert flags(march) == [("result_changed", FIRST)]


@pytest.mark.parametrize("scope", ["date", "full"])
def test_an_accepted_incompleteness_holds_where_a_break_that_it_had_goes_by_another_name(
    march: World, scope: Scope
) -> None:
    _of_the_ledger_alone(march)
    poll_id = march.know_all(FIRST, **CUT)
    march.poll("drain", "in_doubt", recovery="unproven", recovery_reason="lost", window_to=FIRST, closed_at=NOW)
    march.reconcile(FIRST, now=NOW, reread_poll_id=poll_id, scope=scope)
    with transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, FIRST, by="Anna", note="seen", scope=scope)
    covered = "SELECT count(*) FROM ropo.incompleteness_accepted"

    _gets_its_jobid(march)
    march.reconcile(FIRST, now=NOW + HOUR, reread_poll_id=poll_id, scope=scope)
    assert march.store(covered) == [(2,)]

    march.ledger("UPDATE ropo_ledger SET paid = 50, total = 50 WHERE billnum = '9'")
    march.reconcile(FIRST, now=NOW + 2 * HOUR, reread_poll_id=poll_id, scope=scope)
    assert march.store(covered) == [(2,)]
