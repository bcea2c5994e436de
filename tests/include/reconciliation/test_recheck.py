"""The recheck: unfinished dates are compared again in one pass, and only another result is recorded."""

from __future__ import annotations

import datetime
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.config.status_map import Meaning
from tests.include.reconciliation.differing import accept
from tests.include.reconciliation.world import DAY, NOW, STATUS_MAP, at

if TYPE_CHECKING:
    from include.config.profiles import Profile
    from include.reconciliation.recheck import Rechecked
    from tests.include.reconciliation.world import World

ONE = datetime.timedelta(days=1)
NEXT = DAY + ONE
# The run of the next business date, a Wednesday: the grace of DAY's differences is over then.
NIGHT = at("2026-03-12 00:00")


def _changes(found: Rechecked) -> dict[str, tuple[str | None, str]]:
    """Date to its verdict before and now, of those that changed."""
    return {
        str(each.reconciliation.business_date): (each.before, each.reconciliation.verdict) for each in found.changed
    }


def _nothing_late(world: World) -> Profile:
    """The profile, of a Ropo One and an ERP that record nothing late."""
    return msgspec.structs.replace(world.profile, late_days=0)


def _pay(world: World, billnum: str = "1") -> None:
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = %s", (billnum,))


def test_a_red_day_turns_green_when_its_differences_are_mended_and_stays_on_record(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    red = world.reconcile(reread_poll_id=world.know_all(), now=at("2026-03-13 00:00"))
    before = world.items(red)
    _pay(world)

    found = world.recheck(NEXT, now=at("2026-03-14 00:00"), dag_id="ropo_reconciliation", run_id="scheduled__1")

    assert _changes(found) == {"2026-03-10": ("breaks", "reconciled")}
    assert world.verdicts() == ["breaks", "reconciled"]
    assert world.items(red) == before
    assert [item["category"] for item in world.items(found.changed[0].reconciliation).values()] == ["matched"]
    assert world.store("SELECT run_id FROM ropo.reconciliation ORDER BY 1") == [("scheduled__1",), (None,)]
    # Finished: it is looked at as long as something may be recorded late, and changed no more.
    assert world.recheck(NEXT + ONE, now=at("2026-03-15 00:00"), profile=_nothing_late(world)).dates == 1
    assert world.recheck(NEXT + ONE, now=at("2026-03-15 00:00")).dates == 2
    assert world.verdicts() == ["breaks", "reconciled"]


def test_a_difference_that_a_full_comparison_found_mended_is_open_again_where_a_night_finds_it_as_it_was(
    world: World,
) -> None:
    """The date's newest record shows it still, and the ERP has taken the correction back."""
    world.payment("1", "100")
    world.row("1")
    world.payment("2", "100")
    world.row("2")
    world.reconcile(reread_poll_id=world.know_all(), now=at("2026-03-13 00:00"))
    _pay(world)
    _pay(world, "2")
    world.reconcile(scope="full", now=at("2026-03-13 10:00"))
    states = "SELECT state FROM ropo.reconciliation_break WHERE invoice_key = 'b:1'"
    assert world.store(states) == [("resolved",)]
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE billnum = '1'")

    assert _changes(world.recheck(NEXT, now=at("2026-03-14 00:00"))) == {"2026-03-10": ("breaks", "breaks")}

    assert world.store(states) == [("open",)]
    assert _changes(world.recheck(NEXT, now=at("2026-03-15 00:00"))) == {}


def test_a_difference_that_is_back_within_a_grace_of_its_own_is_recorded_once(world: World) -> None:
    world.comment("1", "98")
    world.row("1", "paid", paid="100")
    reread = world.know_all()
    assert world.reconcile(reread_poll_id=reread).verdict == "pending"
    assert world.reconcile(reread_poll_id=reread, now=at("2026-03-12 00:00")).verdict == "breaks"
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100")
    assert world.reconcile(reread_poll_id=reread, now=at("2026-03-12 08:00")).verdict == "reconciled"
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    nights = [_changes(world.recheck(NEXT, now=at(f"2026-03-12 {hour}:00"))) for hour in ("09", "10")]
    assert nights == [{"2026-03-10": ("reconciled", "pending")}, {}]


def test_nights_in_which_the_ledger_shows_nothing_record_a_difference_that_was_mended_once(world: World) -> None:
    world.payment("1", "100")
    world.row("2")
    world.reconcile(reread_poll_id=world.know_all(), now=at("2026-03-13 00:00"))
    world.row("1", "paid", paid="100")
    world.reconcile(scope="full", now=at("2026-03-13 10:00"))
    world.ledger("DELETE FROM ropo_ledger")

    assert _changes(world.recheck(NEXT, now=at("2026-03-14 00:00"))) == {"2026-03-10": ("breaks", "incomplete")}

    assert _changes(world.recheck(NEXT, now=at("2026-03-15 00:00"))) == {}
    assert world.store("SELECT state FROM ropo.reconciliation_break") == [("resolved",)]


def test_that_another_break_is_accepted_in_the_place_of_one_is_another_result(world: World) -> None:
    for billnum in ("1", "2"):
        world.payment(billnum, "100")
        world.row(billnum)
    reread = world.know_all()
    world.reconcile(reread_poll_id=reread, now=at("2026-03-13 00:00"))
    for accepted, hour in (("1", 1), ("2", 2)):
        world.store(
            "UPDATE ropo.reconciliation_break SET state = 'open', accepted_at = NULL, accepted_by = NULL, "
            "accepted_note = NULL, accepted_evidence = NULL"
        )
        accept(world, accepted)
        found = world.recheck(NEXT, now=at(f"2026-03-13 0{hour}:00"))
        (changed,) = found.changed
        assert (changed.reconciliation.breaks, changed.reconciliation.accepted) == (1, 1)
        items = world.items(changed.reconciliation)
        assert [item["billnum"] for item in items.values() if item["is_accepted"]] == [accepted]


def test_a_date_that_rests_on_an_accepted_break_is_looked_at_as_long_as_it_does(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all(), now=at("2026-03-13 00:00"))
    accept(world)
    options = {"profile": _nothing_late(world)}
    nights = [world.recheck(NEXT, now=at(f"2026-03-{day} 00:00"), **options) for day in (14, 15)]
    assert [(night.dates, len(night.changed)) for night in nights] == [(1, 1), (1, 0)]
    _pay(world)
    (changed,) = world.recheck(NEXT, now=at("2026-03-16 00:00"), **options).changed
    assert (changed.before, changed.reconciliation.accepted) == ("reconciled", 0)
    assert world.recheck(NEXT, now=at("2026-03-17 00:00"), **options).dates == 0


def test_a_pending_day_turns_red_when_its_grace_is_over(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all())
    assert _changes(world.recheck(NEXT, now=at("2026-03-11 20:00"))) == {}
    assert _changes(world.recheck(NEXT, now=NIGHT)) == {"2026-03-10": ("pending", "breaks")}
    assert _changes(world.recheck(NEXT, now=NIGHT)) == {}
    assert world.verdicts() == ["pending", "breaks"]


def test_a_missing_date_is_compared_and_is_incomplete_without_a_reread(world: World) -> None:
    world.comment("1", "98", "2026-03-11 09:00", seen=at("2026-03-11 10:00"))
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all(), now=at("2026-03-11 00:00"))
    world.poll("drain", "empty", opened_at=at("2026-03-12 00:00"), closed_at=at("2026-03-12 00:00"))

    found = world.recheck(NEXT + ONE, now=at("2026-03-13 00:00"))

    assert _changes(found) == {"2026-03-11": (None, "incomplete")}
    assert [reason.word for reason in found.changed[0].reconciliation.reasons] == ["reread_missing"]
    world.know_all(NEXT)
    assert _changes(world.recheck(NEXT + ONE, now=at("2026-03-13 01:00"))) == {
        "2026-03-11": ("incomplete", "reconciled")
    }


def test_a_date_is_missing_from_the_first_poll_on_or_from_the_first_date_that_was_reconciled(world: World) -> None:
    world.row("1")
    # In Finland that is the day after.
    world.store(
        "INSERT INTO ropo.profile_pin VALUES "
        "('another', 'h', 'a', '2026-03-05 22:30+00'), ('default', 'h', 'c', '2026-03-09 22:30+00')"
    )
    now = at("2026-03-13 00:00")
    another = msgspec.structs.replace(world.profile, name="another")
    world.reconcile(datetime.date(2026, 3, 5), now=now, profile=another)
    world.reconcile(datetime.date(2026, 3, 7), now=now, scope="full")
    assert [*_changes(world.recheck(NEXT + ONE, now=now))] == ["2026-03-10", "2026-03-11"]
    world.reconcile(datetime.date(2026, 3, 8), now=now)
    assert [*_changes(world.recheck(NEXT + ONE, now=now))] == ["2026-03-09"]


@pytest.mark.parametrize(
    "later",
    [
        {"outcome": "in_doubt", "absent_count": None},
        {"outcome": "landed", "absent_count": None},  # not judged yet
    ],
)
def test_a_reread_that_failed_takes_nothing_from_one_that_was_whole(world: World, later: dict[str, Any]) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all())
    moments = {"opened_at": at("2026-03-11 04:00"), "closed_at": at("2026-03-11 04:01")}
    world.poll("date", later["outcome"], filter_value=str(DAY), **moments)
    _pay(world)
    assert _changes(world.recheck(NEXT, now=NIGHT)) == {"2026-03-10": ("pending", "reconciled")}


def test_dates_under_another_version_of_the_map_are_compared_once_and_recorded_where_it_matters(world: World) -> None:
    for day, code in ((DAY, "77"), (NEXT, "98")):
        world.comment(str(day), code, f"{day} 09:00", seen=at(f"{day} 10:00"))
        world.row(str(day))
        result = world.reconcile(day, reread_poll_id=world.know_all(day), now=at("2026-03-12 08:00"))
        assert result.verdict == ("breaks" if code == "77" else "reconciled")
    events = {"comment": {**STATUS_MAP.events["comment"], "77": Meaning()}}
    newer = msgspec.structs.replace(STATUS_MAP, events=events, version="newer")

    options = {"status_map": newer, "profile": _nothing_late(world)}
    found = world.recheck(NEXT + ONE, now=at("2026-03-12 09:00"), **options)

    assert (found.dates, _changes(found)) == (2, {"2026-03-10": ("breaks", "reconciled")})
    assert world.recheck(NEXT + ONE, now=at("2026-03-12 10:00"), **options).dates == 0


def test_dates_under_another_tolerance_are_compared_once(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", total="98", paid="98")
    lax = msgspec.structs.replace(_nothing_late(world), amount_tolerance=Decimal(5))
    world.reconcile(reread_poll_id=world.know_all(), now=at("2026-03-12 08:00"), profile=lax)
    strict = msgspec.structs.replace(lax, amount_tolerance=Decimal(0))
    assert world.recheck(NEXT, now=at("2026-03-12 09:00"), profile=lax).dates == 0
    # A comparison to which the ledger shows nothing is none by the other one.
    world.ledger("DELETE FROM ropo_ledger")
    assert _changes(world.recheck(NEXT, now=at("2026-03-12 09:30"), profile=strict)) == {}
    world.row("1", "paid", total="98", paid="98")

    found = world.recheck(NEXT, now=at("2026-03-12 10:00"), profile=strict)

    assert _changes(found) == {"2026-03-10": ("reconciled", "breaks")}
    world.ledger("UPDATE ropo_ledger SET total = 100, paid = 100")
    assert _changes(world.recheck(NEXT, now=at("2026-03-12 11:00"), profile=strict)) == {
        "2026-03-10": ("breaks", "reconciled")
    }
    assert world.recheck(NEXT, now=at("2026-03-12 12:00"), profile=strict).dates == 0


def test_a_finished_date_is_looked_at_again_where_something_was_recorded_late(world: World) -> None:
    world.comment("1", "98")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all())
    assert world.recheck(NEXT, now=NIGHT, profile=_nothing_late(world)).dates == 0
    assert _changes(world.recheck(NEXT, now=NIGHT)) == {}

    world.comment("1", "98", "2026-03-10 11:00", seen=at("2026-03-12 01:00"))
    unchanged = world.recheck(NEXT + ONE, now=at("2026-03-12 02:00"))
    assert (unchanged.dates, _changes(unchanged)) == (2, {"2026-03-11": (None, "incomplete")})

    world.payment("1", "40", seen=at("2026-03-13 01:00"))
    assert _changes(world.recheck(NEXT + ONE, now=at("2026-03-13 02:00"))) == {"2026-03-10": ("reconciled", "breaks")}
    # What comes later than late_days is not looked for any more.
    _pay(world)
    world.recheck(NEXT + ONE, now=at("2026-03-14 02:00"))
    world.payment("1", "1", seen=at("2026-03-30 01:00"))
    late = world.recheck(DAY + 8 * ONE, now=at("2026-03-30 02:00"))
    assert "2026-03-10" in _changes(late), "it is red: only partly paid"


def test_only_dates_within_recheck_days_and_from_the_start_are_looked_at(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all())
    world.store("UPDATE ropo.reconciliation SET view_at = started_at")
    _pay(world)
    found = world.recheck(DAY + 61 * ONE, now=at("2026-05-11 00:00"))
    assert found.changed[0].reconciliation.business_date == DAY + ONE
    assert world.verdicts() == ["pending"]
    starts_later = msgspec.structs.replace(world.profile, start_date=NEXT)
    assert world.recheck(NEXT, now=NIGHT, profile=starts_later).dates == 0
    assert _changes(world.recheck(DAY + 60 * ONE, now=NIGHT)).pop("2026-03-10") == ("pending", "reconciled")


def test_what_a_backfill_of_an_older_date_left_pending_is_compared_again_until_its_grace_is_over(world: World) -> None:
    backfilled = at("2026-06-01 08:00")  # a Monday, 83 days after the date
    world.payment("1", "100")
    world.row("1")
    # Never spoken of: its grace begins with the first run that sees it.
    world.row("2", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    first = world.reconcile(reread_poll_id=world.know_all(), now=backfilled)
    world.store("UPDATE ropo.reconciliation SET view_at = started_at")
    assert (first.verdict, first.pending, first.breaks) == ("breaks", 1, 1)

    found = world.recheck(datetime.date(2026, 6, 4), now=backfilled + 3 * ONE)

    again = next(each.reconciliation for each in found.changed if each.reconciliation.business_date == DAY)
    assert (again.verdict, again.pending, again.breaks) == ("breaks", 0, 2)
    # Nothing of it is pending any more: it is left alone.
    assert found.dates == world.recheck(datetime.date(2026, 6, 5), now=backfilled + 4 * ONE).dates + 1


def test_an_older_date_that_was_recorded_long_ago_is_left_alone(world: World) -> None:
    world.row("1", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    world.reconcile(reread_poll_id=world.know_all())
    world.store("UPDATE ropo.reconciliation SET view_at = started_at")
    world.recheck(datetime.date(2026, 6, 4), now=at("2026-06-04 00:00"))
    assert world.verdicts() == ["pending"]


def test_each_date_comes_out_as_if_it_were_compared_alone(world: World) -> None:
    """Invoices of several dates, one that was sent again, one in quarantine, one out of scope, one row gone."""
    days = [DAY + number * ONE for number in range(4)]
    for number, day in enumerate(days):
        seen = at(f"{day} 10:00")
        world.payment("shared", "10", str(day), seen=seen)
        world.payment(f"own{number}", "100", str(day), seen=seen)
        world.row(f"own{number}", "paid" if number % 2 else "open", paid="100" if number % 2 else "0")
        world.row(f"unspoken{number}", changed_at=seen)
        world.comment("again", "110", f"{day} 08:00", jobid=f"A{number}", seen=seen)
    world.comment("of a new code", "66", f"{days[1]} 08:00", seen=at(f"{days[1]} 10:00"))
    world.row("shared", paid="40")
    world.row("again", "sent", jobid="A3")
    world.row("old", "paid", paid="100", sent_at=at("2025-01-01 00:00"), changed_at=at(f"{days[1]} 10:00"))
    world.quarantine(b'{"billnum": "bad", "statustime": "2026-03-12 08:00:00"}', at("2026-03-13 10:00"))
    now = at("2026-03-14 02:00")
    for day in days:
        world.know_all(day)
        world.reconcile(day, now=now)
    world.ledger("DELETE FROM ropo_ledger WHERE billnum = 'unspoken2'")
    world.ledger("UPDATE ropo_ledger SET paid = 30, open = 70 WHERE billnum = 'shared'")

    found = world.recheck(days[-1] + ONE, now=now)

    assert found.dates == len(found.changed) == len(days)
    for each in found.changed:
        together = each.reconciliation
        alone = world.reconcile(together.business_date, now=now, reread_poll_id=_reread(world, together.business_date))
        assert _without_ids(world.items(together)) == _without_ids(world.items(alone))
        names = ("verdict", "reasons", "categories", "totals", "unmapped", "out_of_scope", "population")
        assert [getattr(together, name) for name in names] == [getattr(alone, name) for name in names]


def test_two_rechecks_at_once_record_a_change_once(world: World) -> None:
    for number in range(20):
        world.payment(str(number), "100")
        world.row(str(number))
    world.reconcile(reread_poll_id=world.know_all())
    for number in range(20):
        _pay(world, str(number))
    found: list[Rechecked] = []
    threads = [threading.Thread(target=lambda: found.append(world.recheck(NEXT, now=NIGHT))) for _ in range(3)]
    threads.append(threading.Thread(target=lambda: world.reconcile(now=NIGHT, reread_poll_id=_reread(world, DAY))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(found) == 3
    assert sorted(len(each.changed) for each in found) in ([0, 0, 0], [0, 0, 1])
    assert world.verdicts()[-1] == "reconciled"
    assert len(world.verdicts()) == 2 + sum(len(each.changed) for each in found)


def _reread(world: World, day: datetime.date) -> int:
    query = "SELECT max(poll_id) FROM ropo.status_poll WHERE kind = 'date' AND filter_value = %s"
    return int(world.store(query, (str(day),))[0][0])


def _without_ids(items: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "reconciliation_id"} for item in items.values()]


def test_of_dates_in_a_row_each_has_the_events_that_are_dated_on_it(world: World) -> None:
    """They are gathered as one stretch of time."""
    dates = [DAY + number * ONE for number in range(3)]
    now = NOW + 3 * ONE
    world.row("other", changed_at=at("2026-02-01 08:00"))
    for day in dates:
        assert world.reconcile(day, now=now).population == 0
    for number, day in enumerate(dates):
        world.payment(str(number), "100", str(day), seen=at("2026-03-01 10:00"))
    world.recheck(dates[-1] + ONE, now=now)
    query = "SELECT business_date, max(population) FROM ropo.reconciliation GROUP BY 1 ORDER BY 1"
    assert world.store(query) == [(day, 1) for day in dates]
