"""Airflow tries a task again where something was away, and for nothing else."""

from __future__ import annotations

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowException, AirflowTaskTimeout

from include.config.profiles import Profile
from include.reconciliation.ledger_contract import LedgerContractError
from include.reconciliation.sides import LedgerUnavailableError
from include.status_store.airflow_connection import ConnectionInvalidError
from include.status_store.database import StoreUnavailableError
from include.status_store.source import PollInDoubtError, PollUnsentError
from ropo_one.exceptions import (
    RopoConnectionInvalidError,
    RopoRateLimitedError,
    RopoRequestRefusedError,
    RopoServerError,
    RopoTimeoutError,
    RopoTokenRefusedError,
    RopoTokenUnavailableError,
    RopoUnauthorizedError,
    RopoUnreachableError,
)
from ropo_one.retrying import tried_again_where_something_was_away


def decided(error: BaseException) -> RetryAction:
    policy = tried_again_where_something_was_away()["retry_policy"]
    action: RetryAction = policy.evaluate(error, try_number=1, max_tries=2).action
    return action


@pytest.mark.parametrize(
    "error",
    [
        PollUnsentError("away"),
        RopoUnreachableError("no connection"),
        RopoTokenUnavailableError("no answer"),
        PollInDoubtError("broken off"),
        RopoTimeoutError("too late"),
        RopoServerError("502"),
        StoreUnavailableError("away"),
        LedgerUnavailableError("away"),
    ],
)
def test_what_was_away_is_tried_again(error: Exception) -> None:
    assert decided(error) is RetryAction.RETRY


@pytest.mark.parametrize(
    "error",
    [
        RopoTokenRefusedError("wrong code"),
        RopoUnauthorizedError("401", http_status=401),
        RopoRequestRefusedError("400", http_status=400),
        RopoRateLimitedError("429", http_status=429, go_on_after=60.0),
        RopoConnectionInvalidError("no host"),
        ConnectionInvalidError("no database"),
        LedgerContractError(Profile(name="default"), "no such column"),
        AirflowException("2 of 3 earlier dates could not be re-read"),
        AirflowTaskTimeout("an hour is over"),
        ValueError("a mistake of ours"),
    ],
)
def test_anything_else_fails_at_once(error: BaseException) -> None:
    assert decided(error) is RetryAction.FAIL
