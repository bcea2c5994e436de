"""What waits is counted of each profile alone, and of the polls of its queue alone."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.page_data.polls import read_doubts
from include.page_data.waiting import read_waiting
from tests.include.status_store.views import execute, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

DAY = datetime.date(2026, 11, 20)


def at(clock: str, day: datetime.date = DAY) -> datetime.datetime:
    return datetime.datetime.fromisoformat(f"{day} {clock}+00:00")


def poll(store: Connection, profile: str, what: str, opened: str, closed: datetime.datetime | None = None) -> int:
    """Keep a poll; what is in doubt waits for a re-read, or for somebody, or no more."""
    kind, outcome, *recovery = what.split()
    [(number,)] = query(
        store,
        "INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, recovery, window_from, window_to, "
        "filter_value) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING poll_id",
        (
            profile,
            kind,
            outcome,
            at(opened),
            closed,
            " ".join(recovery) or None,
            DAY,
            DAY if recovery else None,
            None if kind == "drain" else "1",
        ),
    )
    return int(str(number))


def test_what_waits_is_told_of_each_profile_by_itself(store: Connection) -> None:
    poll(store, "default", "date landed", "05:00", at("05:00"))
    first = poll(store, "default", "drain empty", "06:00", at("06:00"))
    poll(store, "default", "drain empty", "09:00", at("09:00"))
    poll(store, "default", "drain landed", "09:30", at("09:31"))
    poll(store, "default", "billnum empty", "10:00", at("10:00"))
    poll(store, "default", "drain empty", "10:30", at("10:30", DAY + datetime.timedelta(days=9)))
    doubts = {
        state: poll(store, "default", f"drain in_doubt {state}", "08:00", at("08:00"))
        for state in ("unproven", "recovered", "pending", "accepted")
    }
    for left_open in ("drain open", "date open"):
        poll(store, "default", left_open, "11:00")
    poll(store, "other", "drain empty", "03:00", at("11:30"))
    theirs = poll(store, "other", "drain in_doubt unproven", "08:00", at("08:00"))
    poll(store, "late", "drain open", "11:50")
    quarantined = (
        "INSERT INTO ropo.status_quarantine (profile, poll_id, ordinal, raw, sha256, error, first_seen_at, "
        "last_seen_at, resolved_at, resolution) SELECT %s, %s, place, 'x', sha256(place::text::bytea), 'bad', now(), "
        "now(), CASE place WHEN 9 THEN now() END, CASE place WHEN 9 THEN 'dismissed' END "
        "FROM unnest(%s::integer[]) AS place"
    )
    execute(store, quarantined, ("default", first, [1, 9]))
    execute(store, quarantined, ("other", theirs, [1, 2]))
    with store.cursor() as cursor:
        found = read_waiting(cursor, ["default", "other", "late"], at("12:00"))
        shown = [each.recovery for each in read_doubts(cursor, "default")]
    mine, other, late = found["default"], found["other"], found["late"]
    assert [each.quarantined for each in (mine, other, late)] == [1, 2, 0]
    assert [each.left_open for each in (mine, other, late)] == [1, 0, 0]
    assert (mine.doubts, other.doubts, late.doubts) == (dict.fromkeys(doubts, 1), {"unproven": 1}, {})
    assert [each.in_doubt for each in (mine, other, late)] == [2, 1, 0]
    assert [each.newest_204 for each in (mine, other, late)] == [at("09:00"), at("11:30"), None]
    assert [each.first_poll for each in (mine, other, late)] == [at("06:00"), at("03:00"), at("11:50")]
    # Those that wait stand first, then the newest.
    assert shown == ["pending", "unproven", "accepted", "recovered"]
