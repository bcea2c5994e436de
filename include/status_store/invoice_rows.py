"""Which rows of the store are one invoice's: its events, its rows in quarantine, its rows in raw answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.config.wording import counted
from include.status_store.row_names import row_names
from include.status_store.rows import only_row
from include.status_store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.status_store.event import Event

_IS_COMPARED = """
SELECT EXISTS (SELECT FROM ropo.items_of_number(%(profile)s, %(billnum)s))
    OR EXISTS (SELECT FROM ropo.reconciliation_item WHERE profile = %(profile)s AND jobid = ANY (%(jobids)s))
"""
_QUARANTINED = """
SELECT quarantine_id, raw, resolved_at IS NOT NULL
FROM ropo.status_quarantine
WHERE profile = %s AND erased_at IS NULL
ORDER BY quarantine_id
"""
_UNPARSED = """
SELECT count(*)
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE page.complete AND page.parsed_at IS NULL AND poll.profile = %s
"""
# What came of a broken answer of the queue: nobody can tell its rows apart.
_DOUBTED = """
SELECT poll.poll_id
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE NOT page.complete AND page.removed_at IS NULL AND poll.profile = %s
  AND poll.kind = 'drain' AND poll.recovery NOT IN ('recovered', 'accepted')
ORDER BY poll.poll_id
"""
_SHOWN_IDS = 5


class InvoiceRows:
    """The rows of an invoice number and of every jobid that ever came with it, or of a jobid alone.

    A row is one's that names it now or named it before; the whole row is then, with all that it ever said.

    :param cursor: its transaction holds the events until it ends.
    :param billnum: trimmed; ``jobid``: likewise. One of the two.
    """

    def __init__(self, cursor: Cursor, profile: str, *, billnum: str | None = None, jobid: str | None = None) -> None:
        self._billnum = billnum
        # What waits is read first: where it stops waiting meanwhile, its events are there to be seen afterwards.
        cursor.execute(_UNPARSED, (profile,))
        (self._unparsed,) = only_row(cursor)
        cursor.execute(_DOUBTED, (profile,))
        self._doubted = [poll_id for (poll_id,) in cursor.fetchall()]
        cursor.execute(_QUARANTINED, (profile,))
        quarantined = cursor.fetchall()
        values: dict[str, object] = {"profile": profile, "billnum": billnum}
        cursor.execute(statement("invoice_jobids"), values)
        self.jobids = {each for (each,) in cursor.fetchall()} | ({jobid} if jobid is not None else set())
        values["jobids"] = sorted(self.jobids)
        cursor.execute(statement("events_of_invoice"), values)
        held = cursor.fetchall()
        self.statusids = {statusid for statusid, *_ in held}
        self.events = [tuple(event) for *event, has_texts in held if has_texts]
        self._keys = [key.encode() for key in {*filter(None, [billnum]), *self.jobids, *self.statusids}]
        # A key with one of these letters may stand in JSON in several spellings.
        self._is_plain = not any(letter in key for key in self._keys for letter in (b'"', b"\\", b"/"))
        concerned = [(row_id, settled) for row_id, raw, settled in quarantined if self._concerns(bytes(raw))]
        self.settled = [row_id for row_id, settled in concerned if settled]
        self._open = [row_id for row_id, settled in concerned if not settled]
        cursor.execute(_IS_COMPARED, values)
        (self._is_compared,) = only_row(cursor)

    @property
    def are_known(self) -> bool:
        """Whether there is such a row, or a reconciliation that has compared the invoice."""
        return bool(self.statusids or self.settled or self._is_compared)

    @property
    def waiting(self) -> str | None:
        """What must be dealt with before its texts can be erased without losing a row; None where nothing must."""
        if self._unparsed:
            pages = counted(self._unparsed, "page is", "pages are")
            return f"{pages} not parsed yet: run `python -m include.status_store replay`"
        if self._doubted:
            return (
                f"{counted(len(self._doubted), 'poll')} in doubt (ids {_ids(self._doubted)}) left part of an answer, "
                "which may hold a row of this invoice: have `ropo_status_drain` recover them, or accept those that "
                "stay unproven (`python -m include.status_store doubts`)"
            )
        if self._open:
            return (
                f"{counted(len(self._open), 'row')} in quarantine (ids {_ids(self._open)}) may be of this invoice: "
                "replay or dismiss them (`python -m include.status_store --help`)"
            )
        return None

    def is_due(self, event: Event | None, row: bytes) -> bool:
        """Tell whether a row of a raw answer is this invoice's."""
        if event is None:
            return self._concerns(row)
        return self._is_named(event.statusid, event.billnum, event.jobid)

    def may_hold(self, text: bytes) -> bool:
        """Tell whether some bytes of JSON may name the invoice; false is certain."""
        return not self._is_plain or b"\\u" in text or any(key in text for key in self._keys)

    def _concerns(self, raw: bytes) -> bool:
        """Tell whether a row that could not be parsed is, or may be, this invoice's."""
        names = row_names(raw)
        if not names.billnum and not names.jobid:
            return self.may_hold(raw)
        return self._is_named(names.statusid, names.billnum, names.jobid)

    def _is_named(self, statusid: str, billnum: str | None, jobid: str | None) -> bool:
        return (billnum is not None and billnum == self._billnum) or jobid in self.jobids or statusid in self.statusids


def _ids(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:_SHOWN_IDS]))
