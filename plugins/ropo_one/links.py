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
    """To the page of the business date that a task worked on; to the overview where it never knew one."""

    name = "Reconciliation"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address, of the operator's ``profile`` and the ``worked_on`` that it set when it ran.

        Airflow asks for it in the task's own process when the task is over, however it ended.
        """
        root = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
        date = getattr(operator, "worked_on", None)
        place = f"dates/{date}" if date else ""
        profile = urlencode({"profile": getattr(operator, "profile", "")})
        return f"{root}/{_IN_AIRFLOW}/{place}?{profile}"
