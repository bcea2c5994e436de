"""Operators of the store's maintenance: raw pages and free texts that are past their retention."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from include.status_store.erasure import TextErasure
from include.status_store.retention import remove_pages
from include.status_store.rows import only_row
from ropo_one.operators.profile import ProfileOperator, as_dict

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.status_store.session import Session

MAX_SECONDS = 3600.0


class RetentionOperator(ProfileOperator):
    """An operator that lets go of what is old.

    :param max_seconds: after which the rest is left to the next run.
    """

    def __init__(self, *, max_seconds: float = MAX_SECONDS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_seconds = max_seconds

    def require(self, key: str) -> None:
        """Go on where the profile sets a retention.

        :raises AirflowSkipException: if its key is 0.
        """
        if not getattr(self.settings, key):
            raise AirflowSkipException(f"Profile {self.profile}: {key} is 0, so that everything is kept")

    def present(self, session: Session) -> datetime:
        """Return the present by the earlier of two clocks, this machine's and the store's.

        What one that runs ahead lets go of does not come back.
        """
        with session.transaction() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            of_the_store: datetime = only_row(cursor)[0]
        return min(datetime.now(UTC), of_the_store)


class RemovePagesOperator(RetentionOperator):
    """Remove the bodies of raw pages older than the profile's ``page_retention_days`` that nothing can be asked of."""

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Return the :class:`include.status_store.retention.RemovedPages` as a dict."""
        self.require("page_retention_days")
        with self.session() as session:
            done = remove_pages(session, self.settings, self.present(session), max_seconds=self.max_seconds)
        self.log.info(
            "Profile %s: %d raw pages removed; %d older ones are kept: they bear on dates that are not reconciled, or "
            "wait for somebody%s",
            self.profile, done.removed, done.kept, "" if done.finished else ", or for the next run",
        )  # fmt: skip
        return as_dict(done)


class EraseTextsOperator(RetentionOperator):
    """Erase free texts older than the profile's ``text_retention_days``; each erasure is on record."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the :class:`include.status_store.erasure.Erased` as a dict."""
        self.require("text_retention_days")
        instance = context["ti"]
        note = f"older than {self.settings.text_retention_days} days ({instance.run_id})"
        with self.session() as session:
            erasure = TextErasure(session, self.settings, by=instance.dag_id, note=note)
            done = erasure.by_age(self.present(session), max_seconds=self.max_seconds)
        self.log.info(
            "Profile %s: texts of %d events, %d revisions, %d rows in quarantine and %d raw pages erased%s",
            self.profile, done.events, done.revisions, done.quarantined, done.pages,
            "" if done.finished else "; the rest is left to the next run",
        )  # fmt: skip
        if done.waiting:
            self.log.warning(
                "Profile %s: %d pages, rows and doubts that are over age must be dealt with first",
                self.profile,
                done.waiting,
            )
        return as_dict(done)
