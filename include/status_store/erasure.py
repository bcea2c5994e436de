"""Erasing the free texts of rows, by age or by invoice, wherever the store keeps them.

Keys, codes, times, amounts and hashes stay (:mod:`include.status_store.redaction`), so that states and reconciliations
are the same afterwards, and so that a row seen again is known and its text is not kept anew. Each transaction writes
its own row of the record, ``text_erasure``: an erasure that is broken off is on record as far as it came.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING

import msgspec

from include.status_store.invoice_rows import InvoiceRows
from include.status_store.page_body import held_pages
from include.status_store.redaction import Redaction
from include.status_store.required import required_text
from include.status_store.rows import only_row
from include.status_store.statements import statement
from include.status_store.texts import erase_events, erase_pages, wait_for_pages
from include.status_store.touched_dates import note_dates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.session import Session

# Each batch is a transaction that locks its events for some tens of milliseconds.
EVENTS_AT_ONCE = 2_000
PAGES_AT_ONCE = 20
_OLD_EVENTS = """
SELECT day, seen_at, statustime, statusid
FROM ropo.event_by_day
WHERE profile = %(profile)s AND day < %(older_than)s AND erased_at IS NULL
  AND (day, seen_at) >= (%(day)s, %(seen_at)s)
  AND (day, seen_at, statustime, statusid) > (%(day)s, %(seen_at)s, %(statustime)s, %(statusid)s)
ORDER BY day, seen_at, statustime, statusid
LIMIT %(limit)s
"""
# In whose order the events are gone through.
_PLACE = ("day", "seen_at", "statustime", "statusid")
# What another session has in its hands is left to the next run.
_LOCKED = """
SELECT first_poll_id, content_poll_id, statusid, statustype, statustext, raw::text
FROM ropo.status_event
WHERE profile = %s AND statusid = ANY (%s) AND erased_at IS NULL
FOR UPDATE SKIP LOCKED
"""
_PAGES_OF = """
SELECT poll_id, body, body_encoding, complete
FROM ropo.status_page
WHERE poll_id = ANY (%s) AND has_texts AND removed_at IS NULL AND complete AND parsed_at IS NOT NULL
ORDER BY poll_id
FOR UPDATE SKIP LOCKED
"""
_OLD_ROWS = """
UPDATE ropo.status_quarantine SET raw = '', erased_at = clock_timestamp()
WHERE profile = %s AND first_seen_at < %s AND resolved_at IS NOT NULL AND erased_at IS NULL
"""
_ALL_PAGES = """
SELECT page.poll_id, page.body, page.body_encoding, page.complete
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE poll.profile = %(profile)s AND page.poll_id > %(after)s AND page.has_texts AND page.removed_at IS NULL
  AND CASE
      -- One that a drain has landed since is left: with its events, what it shows again of erased rows is withheld.
      WHEN page.complete THEN page.parsed_at IS NOT NULL
      -- So is what came of a doubt since: until that is settled, it is all there is of a page that may be lost.
      ELSE poll.kind <> 'drain' OR poll.recovery IN ('recovered', 'accepted')
  END
ORDER BY page.poll_id
LIMIT %(limit)s
FOR UPDATE OF page
"""
_RECORD = """
INSERT INTO ropo.text_erasure (
    profile, reason, billnum, jobids, older_than, erased_by, note, events, revisions, quarantined, pages, labels
) VALUES (
    %(profile)s, %(reason)s, %(billnum)s, %(jobids)s, %(older_than)s, %(by)s, %(note)s,
    %(events)s, %(revisions)s, %(quarantined)s, %(pages)s, %(labels)s
)
"""


class NothingToEraseError(LookupError):
    """The store knows no row of such an invoice."""


class NotDealtWithError(ValueError):
    """Something must be dealt with before texts can be erased without losing a row."""


class Erased(msgspec.Struct, kw_only=True):
    """What an erasure came to, in counts.

    :param quarantined: settled rows in quarantine; ``pages``: raw answers with something to erase.
    :param labels: reconciliations whose labels of unmapped codes were erased.
    :param waiting: pages, rows and doubts that are over age and must be dealt with first.
    :param finished: false where it ran out of time; the next run goes on.
    """

    events: int = 0
    revisions: int = 0
    quarantined: int = 0
    pages: int = 0
    labels: int = 0
    waiting: int = 0
    finished: bool = True

    def add(self, other: Erased) -> None:
        """Count another transaction's."""
        for name in ("events", "revisions", "quarantined", "pages", "labels"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class TextErasure:
    """Erasures in one profile's rows.

    :param by: and ``note``: who and why, for the record.
    :raises ValueError: if either is empty.
    """

    def __init__(self, session: Session, profile: Profile, *, by: str, note: str) -> None:
        by, note = required_text("by", by), required_text("note", note)
        self._session = session
        self._profile = profile
        self._redaction = Redaction.of(profile)
        self._record: dict[str, object] = {
            "profile": profile.name, "by": by, "note": note, "billnum": None, "jobids": [], "older_than": None,
        }  # fmt: skip

    def by_age(self, now: datetime.datetime, *, max_seconds: float) -> Erased:
        """Erase every text older than the profile's ``text_retention_days``.

        An event's age is that of its ``statustime``. The answers that show it lose all their texts with it.

        :param now: aware.
        :param max_seconds: what is left then goes to the next run.
        """
        older_than = self._profile.business_date(now) - datetime.timedelta(days=self._profile.text_retention_days)
        before = self._profile.midnight(older_than)
        self._record.update(reason="age", older_than=older_than)
        deadline = time.monotonic() + max_seconds
        done = Erased()
        done.finished = self._old_events(older_than, done, deadline)
        if done.finished:
            self._wait_for_pages()
            # The answer that brought an event is named by it; those that showed it again are found by its date.
            done.finished = note_dates(self._session, self._profile, deadline, repeating=True) and self._old_pages(
                older_than, before, done, deadline
            )
        with self._session.transaction() as cursor:
            cursor.execute(_OLD_ROWS, (self._profile.name, before))
            rest = Erased(quarantined=cursor.rowcount)
            rest.labels = self._erase_labels(cursor, before=before)
            self._write(cursor, rest)
            cursor.execute(statement("texts_waiting"), {"profile": self._profile.name, "before": before})
            (done.waiting,) = only_row(cursor)
        done.add(rest)
        return done

    def of_invoice(self, billnum: str) -> Erased:
        """Erase every text of an invoice, whatever its age: of its number's rows, and of all rows of their jobids.

        :raises ValueError: if the number is empty.
        :raises NothingToEraseError: if no row of it is known, and no reconciliation has compared it.
        :raises NotDealtWithError: if an unparsed page, what came of an unsettled doubt, or a row in quarantine, may
            hold a row of it.
        """
        billnum = required_text("billnum", billnum)
        return self._of(f"invoice {billnum}", billnum=billnum)

    def of_job(self, jobid: str) -> Erased:
        """Erase every text of a job alone, as :meth:`of_invoice` does; rows that name only its number stay."""
        jobid = required_text("jobid", jobid)
        return self._of(f"job {jobid}", jobid=jobid)

    def _of(self, what: str, *, billnum: str | None = None, jobid: str | None = None) -> Erased:
        self._record.update(reason="invoice", billnum=billnum)
        with self._session.transaction() as cursor:
            wait_for_pages(cursor, self._profile.name)
            rows = InvoiceRows(cursor, self._profile.name, billnum=billnum, jobid=jobid)
            if rows.waiting:
                raise NotDealtWithError(f"Profile {self._profile.name}: {rows.waiting}, then erase again")
            if not rows.are_known:
                raise NothingToEraseError(f"Profile {self._profile.name}: no row of {what} is known")
            self._record.update(jobids=sorted(rows.jobids))
            done = Erased(events=len(rows.events), quarantined=len(rows.settled))
            done.revisions = erase_events(cursor, self._redaction, self._profile.name, rows.events)
            cursor.execute(
                "UPDATE ropo.status_quarantine SET raw = '', erased_at = clock_timestamp() "
                "WHERE quarantine_id = ANY (%s)",
                (rows.settled,),
            )
            done.labels = self._erase_labels(cursor, billnum=billnum, jobids=sorted(rows.jobids))
            self._write(cursor, done, always=True)
        self._pages_of_invoice(rows, done)
        return done

    def _old_events(self, older_than: datetime.date, done: Erased, deadline: float) -> bool:
        after: Sequence[object] = ("-infinity", "-infinity", "-infinity", "")
        while time.monotonic() < deadline:
            with self._session.transaction() as cursor:
                values = {"profile": self._profile.name, "older_than": older_than, "limit": EVENTS_AT_ONCE}
                cursor.execute(_OLD_EVENTS, {**values, **dict(zip(_PLACE, after, strict=True))})
                old = cursor.fetchall()
                if not old:
                    return True
                cursor.execute(_LOCKED, (self._profile.name, [statusid for *_, statusid in old]))
                found = cursor.fetchall()
                batch = Erased(events=len(found))
                held = [tuple(row[2:]) for row in found]
                batch.revisions = erase_events(cursor, self._redaction, self._profile.name, held)
                cursor.execute(_PAGES_OF, (sorted({poll_id for row in found for poll_id in row[:2]}),))
                batch.pages = erase_pages(cursor, self._redaction, self._profile.zone, held_pages(cursor))
                self._write(cursor, batch)
            done.add(batch)
            after = old[-1]
        return False

    def _wait_for_pages(self) -> None:
        """Wait for the pages for which nobody found yet what was erased by now."""
        with self._session.transaction() as cursor:
            wait_for_pages(cursor, self._profile.name)

    def _old_pages(self, older_than: datetime.date, before: datetime.datetime, done: Erased, deadline: float) -> bool:
        after = 0
        while time.monotonic() < deadline:
            with self._session.transaction() as cursor:
                values = {"profile": self._profile.name, "older_than": older_than, "before": before}
                cursor.execute(statement("overdue_pages"), {**values, "after": after, "limit": PAGES_AT_ONCE})
                found = held_pages(cursor)
                if not found:
                    return True
                batch = Erased(pages=erase_pages(cursor, self._redaction, self._profile.zone, found))
                self._write(cursor, batch)
            done.add(batch)
            after = found[-1][0]
        return False

    def _pages_of_invoice(self, rows: InvoiceRows, done: Erased) -> None:
        after = 0
        while True:
            with self._session.transaction() as cursor:
                values = {"profile": self._profile.name, "after": after, "limit": PAGES_AT_ONCE}
                cursor.execute(_ALL_PAGES, values)
                found = held_pages(cursor)
                if not found:
                    return
                near = [page for page in found if not page[2] or rows.may_hold(page[1])]
                batch = Erased(pages=erase_pages(cursor, self._redaction, self._profile.zone, near, rows.is_due))
                self._write(cursor, batch)
            done.add(batch)
            after = found[-1][0]

    def _erase_labels(
        self,
        cursor: Cursor,
        *,
        before: datetime.datetime | str = "-infinity",
        billnum: str | None = None,
        jobids: list[str] | None = None,
    ) -> int:
        values = {"profile": self._profile.name, "before": before, "billnum": billnum, "jobids": jobids or []}
        cursor.execute(statement("erase_labels"), values)
        return cursor.rowcount

    def _write(self, cursor: Cursor, batch: Erased, *, always: bool = False) -> None:
        """Write the record of this transaction; of one that found nothing only where a person asked for it."""
        if always or any((batch.events, batch.revisions, batch.quarantined, batch.pages, batch.labels)):
            cursor.execute(_RECORD, {**self._record, **msgspec.structs.asdict(batch)})
