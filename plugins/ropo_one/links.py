"""Links from a task in Airflow's UI to the reconciliation page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

# Airflow's UI shows the page in a frame; what follows its own route is the page's address in there.
_IN_AIRFLOW = "plugin/reconciliation/reconciliation"


class ReconciliationLink(BaseOperatorLink):
    """To what a task's run recorded of its business date: the date's newest may be another run's, and green.

    To the date where it recorded nothing; to the overview where it never knew one.
    """

    name = "Reconciliation"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address, of the operator's ``profile`` and what it set in its run: ``worked_on``, ``recorded_as``.

        Airflow asks for it in the task's own process when the task is over, however it ended.
        """
        root = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
        date = getattr(operator, "worked_on", None)
        place = f"dates/{date}" if date else ""
        query = {"profile": getattr(operator, "profile", "")}
        if date and (recorded_as := getattr(operator, "recorded_as", None)):
            query["reconciliation"] = str(recorded_as)
        return f"{root}/{_IN_AIRFLOW}/{place}?{urlencode(query)}"
