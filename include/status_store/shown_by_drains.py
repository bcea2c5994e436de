"""Events that a drain has shown in another form than the one in which the store holds them.

As a row in quarantine: the same row, when the parser could not take it yet, or a malformed one that names the event. Or
under another key: equal rows without a ``statusid`` are told apart by which of its kind each was in its answer, so that
two that came in two pages of drains are one event, and an answer that shows both together has a second one.

What is found is marked on the event: it stays so when the texts, by which it was found, are erased.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from include.status_store.envelope import split_rows
from include.status_store.event_writing import mark_drained
from include.status_store.page_body import read_body
from include.status_store.parsing import parse_rows
from include.status_store.row_names import row_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# The first poll last, so that it is the one that counts.
_QUARANTINED = """
SELECT raw, sha256, drained_poll_id
FROM ropo.status_quarantine
WHERE profile = %s AND drained_poll_id IS NOT NULL
ORDER BY drained_poll_id DESC
"""
# The key that `made_up_statusids` makes, up to the number: a kind of rows that are equal.
_MADE_UP = re.compile(r"(sha256:[0-9a-f]{64}:)([0-9]{1,9})")
# Of equal rows: the polls of drains that have shown one for the first time.
_FIRST_SHOWN = """
SELECT DISTINCT CASE WHEN source = 'drain' THEN first_poll_id ELSE drained_poll_id END
FROM ropo.status_event
WHERE profile = %s AND statusid ^@ %s AND (source = 'drain' OR drained_poll_id IS NOT NULL)
"""
# Theirs, and those with rows that were held already, which a row that is equal to an earlier page's is.
_PAGES = """
SELECT poll.poll_id
FROM ropo.status_poll AS poll
JOIN ropo.status_page AS page USING (poll_id)
WHERE poll.profile = %(profile)s AND poll.kind = 'drain' AND poll.outcome = 'landed'
  AND poll.poll_id BETWEEN %(first)s AND %(last)s
  AND (poll.poll_id = ANY (%(polls)s) OR poll.row_count > poll.new_count)
  AND page.parsed_at IS NOT NULL AND page.body IS NOT NULL
ORDER BY poll.poll_id
"""


class Undrained(msgspec.Struct, frozen=True):
    """An event that no drain brought, as far as its key says.

    :param shown_by_poll_id: the poll that showed it; ``empty_poll_id``: the 204 after which it was still undrained.
    :param sha256: of its row.
    """

    statusid: str
    shown_by_poll_id: int
    empty_poll_id: int
    sha256: memoryview


def mark_shown(cursor: Cursor, profile: Profile, undrained: Sequence[Undrained]) -> set[str]:
    """Find those that a drain has shown all the same, and mark them as drained by its poll.

    One that a drain showed with other content, after it was shown here, is found but not marked: Ropo One may have put
    it into the queue anew (``kinds_that_leave.sql`` goes by the marks).

    :return: the statusids of those that are found.
    """
    if not undrained:
        return set()
    shown: set[str] = set()
    marks = defaultdict[int, list[str]](list)
    by_hash, by_name = _quarantined(cursor, profile, undrained)
    for event in undrained:
        poll_id = by_hash.get(bytes(event.sha256))
        named = by_name.get(event.statusid)
        if poll_id is None and named is not None:
            shown.add(event.statusid)
            poll_id = named if named < event.shown_by_poll_id else None
        if poll_id is not None:
            shown.add(event.statusid)
            marks[poll_id].append(event.statusid)
    for statusid, poll_id in _repeated(cursor, profile, [each for each in undrained if each.statusid not in shown]):
        shown.add(statusid)
        marks[poll_id].append(statusid)
    for poll_id, statusids in marks.items():
        mark_drained(cursor, profile.name, poll_id, statusids)
    return shown


def _quarantined(
    cursor: Cursor, profile: Profile, undrained: Sequence[Undrained]
) -> tuple[dict[bytes, int], dict[str, int]]:
    """Return the polls of drains that showed these as rows in quarantine, by the rows' hashes and by their statusids.

    Memory is that of some rows, whatever waits in quarantine.
    """
    hashes = {bytes(event.sha256) for event in undrained}
    statusids = {event.statusid for event in undrained}
    by_hash, by_name = {}, {}
    with cursor.connection.cursor("ropo_quarantined") as quarantined:
        quarantined.execute(_QUARANTINED, (profile.name,))
        for raw, sha256, poll_id in quarantined:
            if bytes(sha256) in hashes:
                by_hash[bytes(sha256)] = poll_id
            if (statusid := row_names(bytes(raw)).statusid) in statusids:
                by_name[statusid] = poll_id
    return by_hash, by_name


def _repeated(cursor: Cursor, profile: Profile, undrained: Sequence[Undrained]) -> Iterator[tuple[str, int]]:
    """Find rows without a statusid of which drains have brought as many equal ones; each with the poll that did."""
    numbers = defaultdict[str, dict[int, Undrained]](dict)
    for event in undrained:
        if made_up := _MADE_UP.fullmatch(event.statusid):
            numbers[made_up[1]][int(made_up[2])] = event
    for kind, events in numbers.items():
        last = max(event.empty_poll_id for event in events.values())
        brought = 0
        for poll_id, equal in _equal_rows(cursor, profile, kind, last):
            for number in range(brought + 1, brought + equal + 1):
                if number in events:
                    yield events[number].statusid, poll_id
            brought += equal
            if brought >= max(events):
                break


def _equal_rows(cursor: Cursor, profile: Profile, kind: str, last: int) -> Iterator[tuple[int, int]]:
    """Count the equal rows of a kind in each page of a drain that may have one, up to the poll ``last``."""
    cursor.execute(_FIRST_SHOWN, (profile.name, kind))
    polls = [poll_id for (poll_id,) in cursor.fetchall()]
    if not polls:
        return
    values = {"profile": profile.name, "first": min(polls), "last": last, "polls": polls}
    cursor.execute(_PAGES, values)
    for (poll_id,) in cursor.fetchall():
        rows = split_rows(read_body(cursor, poll_id).content)
        statusids = parse_rows(rows, profile.zone).events.statusids
        yield poll_id, sum(statusid.startswith(kind) for statusid in statusids)
