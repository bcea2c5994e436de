"""Operators that poll Ropo One and keep what it hands over.

Each returns a summary of counts. None may be retried by Airflow in a way that repeats a parameterless poll blindly:
what a broken drain left open is judged, and recovered by date, by the tasks that follow.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from include.config.business_dates import parse_date
from include.config.wording import counted
from include.status_store.drain import Drain
from include.status_store.earlier_dates import reread_earlier
from include.status_store.queue_lock import QueueBusyError, is_quiet
from include.status_store.recovery import Recovery
from include.status_store.reread import Reread
from include.status_store.retry_after import AskedToWaitError
from include.status_store.source import PollError, PollRefusedError
from ropo_one.business_date import business_date, skip_unless_scheduled
from ropo_one.exceptions import RopoConnectionInvalidError
from ropo_one.operators.profile import ProfileOperator, as_dict
from ropo_one.store import STORE_CONNECTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.status_store.reread import RereadSummary
    from include.status_store.session import Session

MAX_SKIPPING = datetime.timedelta(hours=1)
# What keeps a task from asking Ropo One.
_NOT_ASKED = (PollError, RopoConnectionInvalidError)


class PollingOperator(ProfileOperator):
    """An operator that polls Ropo One."""

    def explain(self, error: Exception, then: str) -> None:
        """Let an error of a poll name the profile, and say what comes of it; its type and its fields stay.

        :param then: what happens next, or what is to be done.
        """
        named = f"Profile {self.profile}: "
        wait = getattr(error, "go_on_after", None)
        when = f"; it may be asked again in {wait:.0f} s" if wait else ""
        error.args = (f"{named}{str(error).removeprefix(named)}{when}. {then}",)


class RopoStatusDrainOperator(PollingOperator):
    """Drain a profile's queue: parameterless polls until 204, each page committed before the next request.

    Where another drain holds the queue the task is skipped; where that one has been there for an hour without a poll,
    the task fails. Where Ropo One has asked not to be polled before a moment that lies ahead, it is skipped, too.

    :param max_pages: bound of one drain, in pages of up to 1000 changes; what is left goes to the next run.
    :param max_seconds: bound of one drain, in seconds.
    """

    def __init__(self, *, max_pages: int = 1000, max_seconds: float = 600.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_pages = max_pages
        self.max_seconds = max_seconds
        self._drain: Drain | None = None

    def on_kill(self) -> None:
        """Begin no other poll: where somebody ends the task, Airflow kills it seconds later, in mid-answer else."""
        if self._drain is not None:
            self._drain.stop()

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the :class:`include.status_store.drain.DrainSummary` as a dict."""
        with self.session() as session:
            try:
                self._drain = Drain(
                    session, self.hook, self.journal(context), max_pages=self.max_pages, max_seconds=self.max_seconds
                )
                summary = self._drain.run()
            except QueueBusyError as busy:
                raise self._skipped(session, busy) from None
            except AskedToWaitError as pause:
                raise AirflowSkipException(str(pause)) from None
            except _NOT_ASKED as error:
                self.explain(error, "All that came is kept; the next run goes on")
                raise
        if summary.stopped_by == "lock_lost":
            raise AirflowException(
                f"Profile {self.profile}: the drain lost the queue's lock with its session of {STORE_CONNECTION} "
                f"after {counted(summary.pages, 'page')}. All that came is kept; the next run goes on. Where "
                "every run ends so, the connection leads through a proxy that pools transactions: give it a direct one"
            )
        told = "the queue is empty" if summary.stopped_by == "empty" else f"stopped by: {summary.stopped_by}"
        self.log.info("Profile %s: %d pages, %d new events, %s", self.profile, summary.pages, summary.new, told)
        return as_dict(summary)

    def _skipped(self, session: Session, busy: QueueBusyError) -> AirflowException:
        with session.transaction() as cursor:
            quiet = is_quiet(cursor, self.profile, busy.since, MAX_SKIPPING)
        if quiet:
            return AirflowException(
                f"Profile {self.profile}: {busy}, but no drain of this profile has polled in the last hour. Find the "
                f"session that holds the advisory lock on the store ({STORE_CONNECTION}) and end it"
            )
        return AirflowSkipException(f"Profile {self.profile}: {busy}")


class RopoStatusRereadOperator(PollingOperator):
    """Re-read one business date and keep what no drain brought.

    :param date: YYYY-MM-DD (templated); by default the run's business date: its partition key, else its ``date`` param.
    """

    template_fields: Sequence[str] = ("profile", "date")

    def __init__(self, *, date: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.date = date

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the :class:`include.status_store.reread.RereadSummary` as a dict."""
        date = business_date(context) if self.date is None else self._given(self.date)
        with self.session() as session:
            try:
                summary = Reread(session, self.hook, self.journal(context)).by_date(date)
            except _NOT_ASKED as error:
                what_to_do = "mend that, or wait until it is over, then run the date again"
                self.explain(error, f"{date} could not be re-read: {what_to_do}")
                raise
        self._tell(date, summary)
        return as_dict(summary)

    @staticmethod
    def _given(text: str) -> datetime.date:
        try:
            return parse_date(text)
        except ValueError as error:
            raise ValueError(f"date: {error}") from None

    def _tell(self, date: datetime.date, summary: RereadSummary) -> None:
        self.log.info(
            "Profile %s: %s re-read, %d rows, %d that no drain brought",
            self.profile, date, summary.rows, summary.new,
        )  # fmt: skip
        if summary.possibly_cut and not summary.shown_complete:
            self.log.warning("Profile %s: the answer for %s is possibly cut", self.profile, date)
        if summary.quarantined:
            # A row that was dismissed before is parsed no better.
            self.log.warning(
                "Profile %s: %s of the answer for %s could not be parsed and went to quarantine; "
                "`python -m include.status_store quarantine` lists what waits there",
                self.profile, counted(summary.quarantined, "row"), date,
            )  # fmt: skip
        if summary.absent:
            self.log.warning(
                "Profile %s: %d events that are held for %s were not shown", self.profile, summary.absent, date
            )


class RopoEarlierRereadOperator(PollingOperator):
    """Re-read the ``late_days`` before the run's business date, and unfinished dates whose last re-read was not whole.

    In scheduled runs only; others skip it.

    :param max_seconds: after which no further date is begun; the next run goes on.
    """

    def __init__(self, *, max_seconds: float = 1800.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_seconds = max_seconds

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the :class:`include.status_store.earlier_dates.EarlierDates` as a dict.

        :raises AirflowException: if a date could not be re-read; the others were.
        """
        skip_unless_scheduled(context)
        with self.session() as session:
            try:
                done = reread_earlier(
                    session, self.hook, self.journal(context), business_date(context), max_seconds=self.max_seconds
                )
            except RopoConnectionInvalidError as error:
                self.explain(error, "No earlier date was re-read; the next run asks again")
                raise
        self.log.info(
            "Profile %s: %d earlier dates re-read, %d new events, %d changed ones; %d dates left",
            self.profile, done.dates - done.failed, done.new, done.revised, done.left,
        )  # fmt: skip
        if done.failed:
            raise AirflowException(
                f"Profile {self.profile}: {done.failed} of {done.dates} earlier dates could not be re-read; the log "
                "above says why. The recheck goes on with what is known, and the next run asks again"
            )
        return as_dict(done)


class RopoInvoiceStatusOperator(PollingOperator):
    """Ask for the changes of one invoice; for single checks, never for many.

    :param billnum: the invoice number (templated).
    """

    template_fields: Sequence[str] = ("profile", "billnum")

    def __init__(self, *, billnum: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.billnum = billnum

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the :class:`include.status_store.reread.RereadSummary` as a dict.

        :raises ValueError: for an empty ``billnum``.
        """
        billnum = self.billnum.strip()
        if not billnum:
            raise ValueError("billnum: expected an invoice number, it is empty")
        with self.session() as session:
            try:
                summary = Reread(session, self.hook, self.journal(context)).by_billnum(billnum)
            except _NOT_ASKED as error:
                what_to_do = "mend that, or wait until it is over, then trigger the run again"
                self.explain(error, f"The invoice could not be asked about: {what_to_do}")
                raise
        self.log.info("Profile %s: %d rows, %d new", self.profile, summary.rows, summary.new)
        return as_dict(summary)


class RopoDoubtRecoveryOperator(PollingOperator):
    """Re-read the windows of polls in doubt, date by date, until each is recovered or unproven.

    :param max_seconds: bound of one run; the next one goes on where it stopped.
    """

    def __init__(self, *, max_seconds: float = 600.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_seconds = max_seconds

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the :class:`include.status_store.recovery.RecoverySummary` as a dict.

        :raises AirflowException: while a doubt of the profile is unproven, or if Ropo One serves no poll.
        """
        with self.session() as session:
            recovery = Recovery(session, self.hook, self.journal(context), max_seconds=self.max_seconds)
            try:
                summary = recovery.run()
            except PollRefusedError as error:
                raise AirflowException(
                    f"Profile {self.profile}: {error}. Its doubts wait until the connection is mended, or Ropo lets it "
                    "in; the next run goes on. Where Ropo One refuses for good, accept a doubt with a note: "
                    "`python -m include.status_store accept POLL --not-asked --note …`"
                ) from error
            except _NOT_ASKED as error:
                lost = "what a poll in doubt may have lost waits, and the next run goes on"
                self.explain(error, f"{recovery.asked} could not be re-read: {lost}")
                raise
        self.log.info(
            "Profile %s: %d dates re-read, %d new events; doubts: %d pending, %d unproven, %d recovered",
            self.profile, summary.dates, summary.new, summary.pending, summary.unproven, summary.recovered,
        )  # fmt: skip
        if summary.unproven:
            raise AirflowException(
                f"Profile {self.profile}: {counted(summary.unproven, 'poll')} in doubt could not be proven harmless. "
                "`python -m include.status_store doubts` names them with their reasons; their dates are asked again "
                "every hour, or accept one with a note: `python -m include.status_store accept POLL --note …`"
            )
        return as_dict(summary)
