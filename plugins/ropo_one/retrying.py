"""What Airflow tries again: tasks that may be repeated, and that failed since something they need was away."""

from __future__ import annotations

from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from include.reconciliation.sides import LedgerUnavailableError
from include.status_store.database import StoreUnavailableError
from include.status_store.source import PollInDoubtError, PollUnsentError
from ropo_one.exceptions import RopoTokenRefusedError

RETRIES = 2


def tried_again_where_something_was_away() -> dict[str, Any]:
    """Return a DAG's ``default_args`` for it: Ropo One, the store or the ledger was away, and may be back in a while.

    Any other error fails the task at once. Only for tasks that may be repeated as if nothing had happened, as a re-read
    by date may: never for a drain. How long Airflow waits is its own ``default_task_retry_delay``. Of a task whose
    process was killed it asks no policy: that one is tried again, too.
    """
    return {
        "retries": RETRIES,
        "retry_policy": ExceptionRetryPolicy(
            rules=[
                # Its customer number or API code is wrong, and stays so. The first rule that fits holds.
                RetryRule(exception=RopoTokenRefusedError, action=RetryAction.FAIL, reason="no token is given"),
                RetryRule(
                    exception=[PollUnsentError, PollInDoubtError, StoreUnavailableError, LedgerUnavailableError],
                    action=RetryAction.RETRY,
                    reason="something that the task needs was away",
                ),
            ],
            default=RetryAction.FAIL,
        ),
    }
