"""Re-reads: polls by date or by invoice number, which may be repeated, each as a journal row of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import tenacity

from include.status_store.interpreter import tuned
from include.status_store.landing import Page, keep_doubtful, land_reread
from include.status_store.polling import poll_rows
from include.status_store.queue_lock import pin
from include.status_store.retry_after import LONGEST_WAIT_SECONDS, AskedToWaitError
from include.status_store.rows import only_row
from include.status_store.source import NO_CONTENT, PollError, PollInDoubtError, PollRefusedError, PollUnsentError
from include.status_store.statements import statement

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import cursor as Cursor

    from include.status_store.journal import Journal, Kind, Outcome
    from include.status_store.session import Session
    from include.status_store.source import StatusSource

ATTEMPTS = 3
PAUSE_SECONDS = 2.0
# A cut date answer is asked again; each time that brings something new earns another.
MAX_ASKS = 10
# A date's answers are at their end where these bring no row, one after the other. A single one may be a fault.
_ENDS = 2
# So many events that it did not show stand on a re-read one by one; more of them as one.
_MOST_IDS = 1000
# In the words of the journal, by which such a proof is known later.
_BIT_BY_BIT = "the last of several answers was not full"
_CONCLUDE = "UPDATE ropo.status_poll SET shown_complete = %s, completeness = %s WHERE poll_id = %s"


class RereadSummary(msgspec.Struct, kw_only=True):
    """What a re-read showed, in counts.

    :param poll_id: of the last poll, which is the one that carries the answer's judgement in the journal.
    :param polls: journal rows written.
    :param rows: of the fullest answer; ``new``: events that no earlier poll had brought.
    :param possibly_cut: the answer had exactly as many rows as the profile's ``date_cap``.
    :param shown_complete: though possibly cut, the answers could be shown complete.
    :param absent: events held for the date before it was asked that no answer showed.
    :param unparsed: an answer landed that could not be parsed; what it showed is not known.
    """

    poll_id: int
    polls: int = 0
    rows: int = 0
    new: int = 0
    revised: int = 0
    quarantined: int = 0
    possibly_cut: bool = False
    shown_complete: bool = False
    absent: int = 0
    unparsed: bool = False

    @property
    def whole(self) -> bool:
        """The answer was not possibly cut, or shown complete all the same, and showed every event already held."""
        return not ((self.possibly_cut and not self.shown_complete) or self.absent or self.unparsed)


class Reread:
    """Polls by one filter.

    :param source: Ropo One; its queue must be the one that the profile is pinned to, as for a drain.
    :param attempts: GETs that one ask may take while answers do not come whole.
    """

    def __init__(self, session: Session, source: StatusSource, journal: Journal, *, attempts: int = ATTEMPTS) -> None:
        self._session = session
        self._source = source
        self._journal = journal
        self._attempts = attempts
        self._polls = 0
        # By what possibly cut answers for a date were shown complete, or why an earlier proof does not count.
        self.completeness: str | None = None

    def by_date(self, date: datetime.date) -> RereadSummary:
        """Ask for the changes of one business date, and again while the answer may be cut and brings something new.

        :raises PollError: if no attempt brought a whole answer.
        :raises AskedToWaitError: a :class:`PollError` too: if Ropo One asked for a longer pause than is waited for.
        :raises PinnedElsewhereError: if profile and queue belong to others.
        """
        with tuned():
            return self._by_date(date)

    def _by_date(self, date: datetime.date) -> RereadSummary:
        summary, shown = self._ask("date", date.isoformat(), date=date)
        first_poll_id, asks, last, ends = summary.poll_id, 1, summary, 0
        # Bit by bit, to an end: none of the answers shows a row of an earlier one (what repeats is not handed over, and
        # shorter than before it is behind), and none on the way may be lost, nor held what nobody could tell apart.
        bit_by_bit = True
        while summary.possibly_cut and asks <= MAX_ASKS + (0 if last.possibly_cut else _ENDS):
            last, shown_again = self._ask("date", date.isoformat(), date=date)
            asks += 1
            ends = 0 if last.rows else ends + 1
            summary = _joined(summary, last)
            bit_by_bit = bit_by_bit and not shown_again & shown and asks == self._polls and not summary.unparsed
            is_first_end = ends == 1 and bit_by_bit
            if shown_again <= shown and not is_first_end:
                break
            shown |= shown_again
        if not summary.unparsed:
            self._judge(date, shown, first_poll_id, summary, handed_over=bit_by_bit and ends == _ENDS)
        return summary

    def by_billnum(self, billnum: str) -> RereadSummary:
        """Ask for the changes of one invoice.

        :raises PollError: as :meth:`by_date`.
        :raises PinnedElsewhereError: if profile and queue belong to others.
        """
        return self._ask("billnum", billnum, billnum=billnum)[0]

    def _ask(self, kind: Kind, value: str, **filters: Any) -> tuple[RereadSummary, frozenset[str]]:
        """Send polls with one filter until one brings a whole answer, within the attempts."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_be_repeated),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=_pause,
            reraise=True,
        )
        return retrying(self._poll, kind, value, **filters)

    def _poll(self, kind: Kind, value: str, **filters: Any) -> tuple[RereadSummary, frozenset[str]]:
        poll_id = self._open(kind, value)
        self._polls += 1
        try:
            polled = poll_rows(self._source, **filters)
        except PollUnsentError as error:
            self._close(poll_id, "unsent", error=str(error))
            raise
        except PollRefusedError as error:
            self._close(
                poll_id, "refused", http_status=error.http_status, error=str(error), go_on_after=error.go_on_after
            )
            raise
        except PollInDoubtError as error:
            keep_doubtful(self._session, self._journal, poll_id, error)
            raise
        if polled is None:
            self._close(poll_id, "empty", http_status=NO_CONTENT)
            return RereadSummary(poll_id=poll_id, polls=self._polls), frozenset()
        answer, rows = polled
        cut = kind == "date" and len(rows) == self._journal.profile.date_cap
        page = Page(poll_id=poll_id, kind=kind, answer=answer, rows=rows, possibly_cut=cut)
        landed = land_reread(self._session, self._journal, page)
        summary = RereadSummary(
            poll_id=poll_id,
            polls=self._polls,
            rows=len(rows),
            possibly_cut=cut,
            unparsed=landed.shown is None,
            **msgspec.structs.asdict(landed.stored),
        )
        return summary, landed.shown or frozenset()

    def _open(self, kind: Kind, value: str) -> int:
        """Open a poll, after the pause that Ropo One has asked for."""
        left = LONGEST_WAIT_SECONDS
        while True:
            with self._session.transaction() as cursor:
                pause = pin(cursor, self._journal.profile.name, self._source.queue)
                if pause is None:
                    return self._journal.open(cursor, kind, value)
            left -= pause.seconds
            if left < 0:
                raise AskedToWaitError(self._journal.profile, pause.until)
            time.sleep(pause.seconds)  # before anything is written: it may be killed here

    def _close(self, poll_id: int, outcome: Outcome, **details: Any) -> None:
        self._session.insist(lambda cursor: self._journal.close(cursor, poll_id, outcome, **details))

    def _judge(
        self,
        date: datetime.date,
        shown: frozenset[str],
        first_poll_id: int,
        summary: RereadSummary,
        *,
        handed_over: bool,
    ) -> None:
        """Write on the last poll, and in the summary, whether the answers were whole."""
        values = {
            "profile": self._journal.profile.name,
            "date": date,
            "first_poll_id": first_poll_id,
            "poll_id": summary.poll_id,
            "possibly_cut": summary.possibly_cut,
            "handed_over": handed_over,
            "bit_by_bit": _BIT_BY_BIT,
            "shown": msgspec.json.encode([*shown]).decode(),
            "most_ids": _MOST_IDS,
        }

        def work(cursor: Cursor) -> tuple[int, bool | None, str | None]:
            cursor.execute(statement("judge_reread"), values)
            return only_row(cursor)

        summary.absent, complete, self.completeness = self._session.insist(work)
        summary.shown_complete = bool(complete)


def conclude(cursor: Cursor, poll_id: int, *, complete: bool | None, why: str) -> None:
    """Write on a re-read that was possibly cut what questions by invoice number have shown of it.

    :param complete: whether the answer was whole; None where that is still open.
    """
    cursor.execute(_CONCLUDE, (complete, why, poll_id))


def _joined(before: RereadSummary, after: RereadSummary) -> RereadSummary:
    """Join two asks of one date: what they brought adds up, and what was cut once stays possibly cut."""
    return msgspec.structs.replace(
        after,
        rows=max(before.rows, after.rows),
        new=before.new + after.new,
        revised=before.revised + after.revised,
        quarantined=before.quarantined + after.quarantined,
        possibly_cut=before.possibly_cut or after.possibly_cut,
        unparsed=before.unparsed or after.unparsed,
    )


def _may_be_repeated(error: BaseException) -> bool:
    if isinstance(error, PollRefusedError):
        return error.go_on_after is not None and error.go_on_after <= LONGEST_WAIT_SECONDS
    return isinstance(error, PollInDoubtError) and (error.go_on_after or 0.0) <= LONGEST_WAIT_SECONDS


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, PollError) and error.go_on_after is not None:
        return error.go_on_after
    return PAUSE_SECONDS * state.attempt_number
