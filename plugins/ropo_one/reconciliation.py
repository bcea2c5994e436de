"""Operators of the daily reconciliation: settle, compare, verdict; and an invoice's history."""

from __future__ import annotations

import datetime
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import timezone
from airflow.sdk.exceptions import AirflowFailException

from include.config.status_map import load_status_map
from include.reconciliation.invoice import invoice_history
from include.reconciliation.reconcile import reconcile
from include.reconciliation.recorded import read_recorded
from include.reconciliation.verdict import is_red
from ropo_one.business_date import business_date
from ropo_one.links import ReconciliationLink
from ropo_one.profile_operator import ProfileOperator
from ropo_one.store import connection_dsn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile

SCHEDULED = "scheduled"


def settled_at(date: datetime.date, profile: Profile) -> datetime.datetime:
    """Return when a business date may be re-read: the midnight that ends it in the market, plus ``settle_hours``."""
    midnight = datetime.datetime.combine(date + datetime.timedelta(days=1), datetime.time(), tzinfo=profile.zone)
    return midnight.astimezone(datetime.UTC) + datetime.timedelta(hours=profile.settle_hours)


class SettleOperator(ProfileOperator):
    """Wait until the run's business date is settled, deferred; only in scheduled runs, and only where it lies ahead."""

    def execute(self, context: Context) -> None:
        """Defer, or go on at once."""
        moment = settled_at(business_date(context), self.settings)
        if context["dag_run"].run_type == SCHEDULED and moment > timezone.utcnow():
            self.log.info("Profile %s: waiting until %s", self.profile, moment.isoformat())
            self.defer(trigger=DateTimeTrigger(moment=moment), method_name="settled")

    def settled(self, context: Context, event: object = None) -> None:
        """Go on after the wait."""


class LedgerOperator(ProfileOperator):
    """An operator that reads the profile's ERP ledger."""

    def ledger(self) -> Connection:
        """Open a session of the ledger, which may only read.

        :raises StoreUnavailableError: where the connection is missing or of another type.
        :raises AirflowFailException: where PostgreSQL does not let us in.
        """
        conn_id = self.settings.ledger.connection
        dsn = connection_dsn(conn_id)
        try:
            connection: Connection = psycopg2.connect(dsn, connect_timeout=10, application_name="ropo_one")
        except psycopg2.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise AirflowFailException(
                f"Profile {self.profile}: the ledger (connection {conn_id}) cannot be reached: {reason}"
            ) from None
        connection.set_session(readonly=True)
        return connection


class ReconciliationOperator(LedgerOperator):
    """Compare a business date's invoices with the ledger and record the result beside earlier ones.

    :param reread_task_id: the task whose summary names the re-read of this run; without one the date is incomplete.
    """

    operator_extra_links = (ReconciliationLink(),)

    def __init__(self, *, reread_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reread_task_id = reread_task_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the reconciliation's id, verdict and counts."""
        self.worked_on = date = business_date(context)
        instance = context["ti"]
        reread = instance.xcom_pull(task_ids=self.reread_task_id, map_indexes=instance.map_index)
        with self.session() as session, closing(self.ledger()) as ledger:
            result = reconcile(
                session.connection,
                ledger,
                self.settings,
                load_status_map(self.settings.status_map),
                date,
                reread_poll_id=reread["poll_id"] if reread else None,
                dag_id=instance.dag_id,
                run_id=instance.run_id,
            )
        counts = {name: getattr(result, name) for name in ("population", "matched", "pending", "breaks", "accepted")}
        return {"reconciliation_id": result.reconciliation_id, "verdict": result.verdict, **counts}


class VerdictOperator(ProfileOperator):
    """Say a reconciliation's verdict, its reasons and its counts; fail on the verdicts that the profile names.

    :param reconciliation_task_id: the task that recorded it.
    """

    operator_extra_links = (ReconciliationLink(),)

    def __init__(self, *, reconciliation_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reconciliation_task_id = reconciliation_task_id

    def execute(self, context: Context) -> None:
        """Tell what was found.

        :raises AirflowFailException: where the verdict is one of the profile's ``fail_on``, or nothing was recorded.
        """
        self.worked_on = business_date(context)
        instance = context["ti"]
        compared = instance.xcom_pull(task_ids=self.reconciliation_task_id, map_indexes=instance.map_index)
        if not compared:
            raise AirflowFailException(
                f"Profile {self.profile}: {self.reconciliation_task_id} recorded no reconciliation; its log says why"
            )
        with self.session() as session, session.transaction() as cursor:
            recorded = read_recorded(cursor, compared["reconciliation_id"])
        for line in recorded.lines():
            self.log.info("%s", line)
        if is_red(recorded.verdict, recorded.breaks, self.settings.fail_on):
            raise AirflowFailException(recorded.headline())


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
