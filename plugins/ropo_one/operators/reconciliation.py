"""Operators of the daily reconciliation: settle, compare, verdict; and an invoice's history."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, cast, get_args

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import timezone
from airflow.sdk.exceptions import AirflowFailException

from include.config.profiles import Scope
from include.config.status_map import load_status_map
from include.reconciliation.cut_answer import CutAnswer
from include.reconciliation.inquiry import Inquiries
from include.reconciliation.invoice import invoice_history
from include.reconciliation.recheck import recheck
from include.reconciliation.reconcile import reconcile
from include.reconciliation.recorded import read_recorded, subject
from include.reconciliation.second_opinion import SecondOpinion
from include.reconciliation.sides import connect_ledger
from include.reconciliation.totals import COUNTS
from include.reconciliation.verdict import is_red
from include.status_store.by_billnum import BillnumQuestions
from ropo_one.business_date import SCHEDULED, business_date, skip_unless_scheduled
from ropo_one.connection import get_connection
from ropo_one.exceptions import RopoConnectionInvalidError
from ropo_one.links import ReconciliationLink
from ropo_one.operators.profile import ProfileOperator
from ropo_one.store import connection_dsn
from ropo_one.upstream import returned_by

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from airflow.sdk import Context
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.reconciliation.recorded import Recorded
    from include.status_store.journal import Journal
    from include.status_store.session import Session

_OPINIONS = ("second_opinions_asked", "second_opinions_cleared")


class SettleOperator(ProfileOperator):
    """Wait until the run's business date is settled, deferred; only in scheduled runs, and only where it lies ahead."""

    def execute(self, context: Context) -> None:
        """Defer, or go on at once."""
        moment = self.settings.settled_at(business_date(context))
        if context["dag_run"].run_type == SCHEDULED and moment > timezone.utcnow():
            self.log.info("Profile %s: waiting until %s", self.profile, moment.isoformat())
            self.defer(trigger=DateTimeTrigger(moment=moment), method_name="settled")

    def settled(self, context: Context, event: object = None) -> None:
        """Go on after the wait."""


class LedgerOperator(ProfileOperator):
    """An operator that reads the profile's ERP ledger."""

    def ledger(self) -> Connection:
        """Open a session of the ledger, which may only read; no statement outlasts the task's own limit.

        :raises ConnectionInvalidError: if the connection is missing or of another type.
        :raises LedgerUnavailableError: if PostgreSQL does not let us in.
        """
        connection = connect_ledger(
            connection_dsn(self.settings.ledger.connection), self.settings, longest=self.execution_timeout
        )
        connection.set_session(readonly=True)
        return connection

    def inquiries(self, session: Session, journal: Journal, *, asked: int = 0) -> Inquiries:
        """Return what a comparison may ask of Ropo One; nothing where the profile's connection cannot be used.

        :param session: of the asking itself.
        :param asked: second opinions that the run has asked for already.
        """
        try:
            get_connection(self.settings.connection)
        except RopoConnectionInvalidError as error:
            self.log.warning("Profile %s: Ropo One is not asked about anything: %s", self.profile, error)
            return Inquiries()
        profile = self.settings
        # The hook only where there is something to ask: its import is a good part of a date's time.
        questions = BillnumQuestions(session, lambda: self.hook, journal)
        limit = max(0, profile.second_opinions - asked)
        return Inquiries((CutAnswer(questions, session, profile), SecondOpinion(questions, profile, limit=limit)))


class ReconciliationOperator(LedgerOperator):
    """Compare a business date's invoices with the ledger and record the result beside earlier ones.

    Before breaks are recorded Ropo One is asked about them again, and about the invoices of a re-read that was possibly
    cut: some polls by invoice number, one after the other.

    :param reread_task_id: the task whose summary names the re-read of this run; without one, or where it failed, the
        date is incomplete.
    :param scope: ``date``, or ``full``: all invoices that are not settled (templated).
    """

    template_fields: Sequence[str] = ("profile", "scope")
    operator_extra_links = (ReconciliationLink(),)

    def __init__(self, *, reread_task_id: str, scope: str = "date", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reread_task_id = reread_task_id
        self.scope = scope

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the reconciliation's id, verdict and counts."""
        self.worked_on = date = business_date(context)
        if self.scope not in get_args(Scope):
            raise AirflowFailException(f"scope: expected date or full, got {self.scope!r}")
        instance = context["ti"]
        reread = returned_by(self.reread_task_id, context)
        with self.session() as session, self.session() as asking, closing(self.ledger()) as ledger:
            result = reconcile(
                session.connection,
                ledger,
                self.settings,
                load_status_map(self.settings.status_map),
                date,
                scope=cast("Scope", self.scope),
                reread_poll_id=reread["poll_id"] if reread else None,
                dag_id=instance.dag_id,
                run_id=instance.run_id,
                inquiries=self.inquiries(asking, self.journal(context)),
            )
        self.recorded_as = result.reconciliation_id
        counts = {name: getattr(result, name) for name in (*COUNTS, *_OPINIONS)}
        return {"reconciliation_id": result.reconciliation_id, "verdict": result.verdict, **counts}


class RecheckOperator(LedgerOperator):
    """Compare again every unfinished business date before the run's own, in one pass; record what changed.

    In scheduled runs only; others skip it. It never turns a run red by what it finds: a date that it turns red is told
    by the watch of the drain DAG.

    :param reconciliation_task_id: the task that compared the run's own date: what it asked Ropo One about counts to the
        profile's ``second_opinions``.
    """

    def __init__(self, *, reconciliation_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reconciliation_task_id = reconciliation_task_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Return how many dates and invoices were compared again, and how many dates have which new verdict."""
        skip_unless_scheduled(context)
        instance = context["ti"]
        compared = returned_by(self.reconciliation_task_id, context)
        asked = compared["second_opinions_asked"] if compared else 0
        with self.session() as session, self.session() as asking, closing(self.ledger()) as ledger:
            found = recheck(
                session.connection,
                ledger,
                self.settings,
                load_status_map(self.settings.status_map),
                business_date(context),
                dag_id=instance.dag_id,
                run_id=instance.run_id,
                inquiries=self.inquiries(asking, self.journal(context), asked=asked),
            )
        verdicts: dict[str, int] = {}
        for each in found.changed:
            now = each.reconciliation
            verdicts[now.verdict] = verdicts.get(now.verdict, 0) + 1
            self.log.info(
                "Profile %s: %s was %s and is %s now: %d matched, %d pending, %d breaks (reconciliation %d)",
                self.profile, now.business_date, each.before or "missing", now.verdict,
                now.matched, now.pending, now.breaks, now.reconciliation_id,
            )  # fmt: skip
        self.log.info(
            "Profile %s: %d dates with %d invoices compared again, %d changed",
            self.profile, found.dates, found.items, len(found.changed),
        )  # fmt: skip
        opinions = {name: sum(getattr(each.reconciliation, name) for each in found.changed) for name in _OPINIONS}
        return {"dates": found.dates, "items": found.items, "changed": verdicts, **opinions}


class RedVerdictError(AirflowFailException):
    """The verdict is red: what *verdict* says, and not that it could say nothing."""


class VerdictOperator(ProfileOperator):
    """Say a reconciliation's verdict, its reasons and its counts; fail on the verdicts that the profile names.

    :param reconciliation_task_id: the task that recorded it.
    :param scope: that task's, ``date`` or ``full`` (templated).
    """

    template_fields: Sequence[str] = ("profile", "scope")
    operator_extra_links = (ReconciliationLink(),)

    def __init__(self, *, reconciliation_task_id: str, scope: str = "date", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reconciliation_task_id = reconciliation_task_id
        self.scope = scope

    def execute(self, context: Context) -> None:
        """Tell what was found.

        :raises RedVerdictError: if the verdict is one of the profile's ``fail_on``.
        :raises AirflowFailException: if nothing was recorded, or if the store has no reconciliation of the run under
            the number that was recorded.
        :raises ConfigurationError: if the profiles file has no such profile any more.
        """
        self.worked_on = date = business_date(context)
        fail_on = self.settings.fail_on
        compared = returned_by(self.reconciliation_task_id, context)
        if not compared:
            raise AirflowFailException(
                f"Profile {self.profile}: {self.reconciliation_task_id} recorded no reconciliation; its log says why, "
                "unless it was skipped or marked by hand"
            )
        with self.session() as session, session.transaction() as cursor:
            recorded = self._of_the_run(cursor, date, compared["reconciliation_id"])
        # Not before: where the number is another's, the link leads to the date.
        self.recorded_as = compared["reconciliation_id"]
        for line in recorded.lines():
            self.log.info("%s", line)
        if is_red(recorded.verdict, recorded.breaks, fail_on):
            raise RedVerdictError(recorded.failure())

    def _of_the_run(self, cursor: Cursor, date: datetime.date, reconciliation_id: int) -> Recorded:
        """Read what the run recorded: a store that was restored gives the number that Airflow still knows once more."""
        own = subject(self.profile, date, cast("Scope", self.scope))
        try:
            recorded = read_recorded(cursor, reconciliation_id)
            found = recorded.subject()
        except LookupError:
            found = "none"
        if found != own:
            raise AirflowFailException(
                f"{own}: this run recorded reconciliation {reconciliation_id}, but the store has {found} under that "
                "number: it was restored from a backup, or is a different store. Run the date again: clear the whole "
                "run, or trigger a new one for that date"
            )
        return recorded


class InvoiceHistoryOperator(LedgerOperator):
    """Print what both sides know of one invoice, and how the comparison sees it; nothing is recorded.

    :param billnum: the invoice number (templated).
    """

    template_fields: Sequence[str] = ("profile", "billnum")

    def __init__(self, *, billnum: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.billnum = billnum

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Print the invoice's history to the task's log."""
        status_map = load_status_map(self.settings.status_map)
        with self.session() as session, closing(self.ledger()) as ledger:
            for line in invoice_history(session.connection, ledger, self.settings, status_map, self.billnum):
                self.log.info("%s", line)
