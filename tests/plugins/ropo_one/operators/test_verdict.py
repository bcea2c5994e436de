"""The task *verdict* says what is recorded of its own run, and of no other profile, date or scope."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from ropo_one.operators.reconciliation import VerdictOperator
from tests.include.watch.records import record
from tests.plugins.ropo_one.earlier_tasks import task_instance

if TYPE_CHECKING:
    import pathlib

    from psycopg2.extensions import connection as Connection

OWN = datetime.date(2026, 11, 16)


@pytest.fixture(autouse=True)
def _profiles(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, airflow_store: None) -> None:
    file = tmp_path / "profiles.yaml"
    file.write_text("profiles:\n  - name: default\n  - name: other\n", encoding="utf-8")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))


def task(profile: str = "default", scope: str = "date") -> VerdictOperator:
    return VerdictOperator(task_id="verdict", profile=profile, reconciliation_task_id="compare", scope=scope)


def say(
    reconciliation_id: int,
    *,
    profile: str = "default",
    scope: str = "date",
    compare: str | None = "success",
    operator: VerdictOperator | None = None,
) -> None:
    """Run the task of the run of 2026-11-16 whose task *compare* said that it recorded this one.

    :param compare: that task's state.
    :param operator: the task, where it is looked at afterwards.
    """
    instance = task_instance({"compare": {"reconciliation_id": reconciliation_id}}, states={"compare": compare})
    run = SimpleNamespace(partition_key=str(OWN), run_type="scheduled")
    context: Any = {"ti": instance, "dag_run": run, "params": {}}
    (operator or task(profile, scope)).execute(context)


@pytest.mark.parametrize("scope", ["date", "full"])
def test_what_the_run_recorded_is_said(store: Connection, scope: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(record(store, OWN, scope=scope), scope=scope)

    assert "2026-11-16: reconciled. 5 invoices" in capsys.readouterr().out
    with pytest.raises(AirflowFailException, match="2026-11-16: breaks"):
        say(record(store, OWN, "breaks", break_count=1, scope=scope), scope=scope)


def test_a_red_one_is_what_its_task_links_to(store: Connection) -> None:
    """Not the date's newest, which another run has made green since."""
    red = record(store, OWN, "breaks", break_count=1)
    record(store, OWN)
    verdict = task()

    with pytest.raises(AirflowFailException):
        say(red, operator=verdict)

    assert verdict.recorded_as == red


def test_one_that_is_not_the_runs_own_is_not_linked_to(store: Connection) -> None:
    verdict = task()

    with pytest.raises(AirflowFailException, match="it was restored from a backup"):
        say(record(store, datetime.date(2026, 11, 20)), operator=verdict)

    assert verdict.recorded_as is None


def test_a_red_one_says_in_the_error_why_it_is_red(store: Connection) -> None:
    """Its numbers alone read like those of a date that matches."""
    incomplete = record(store, OWN, "incomplete", reasons=("no_drain_since", "rows_in_quarantine"))

    with pytest.raises(AirflowFailException) as caught:
        say(incomplete)

    assert str(caught.value).endswith(
        f"5 matched, 0 pending, 0 breaks, 0 accepted (reconciliation {incomplete}). "
        "no_drain_since: because of no_drain_since. rows_in_quarantine: because of rows_in_quarantine"
    )


@pytest.mark.parametrize("state", ["failed", "skipped", "upstream_failed"])
def test_where_nothing_was_compared_no_earlier_green_one_makes_the_run_green(store: Connection, state: str) -> None:
    with pytest.raises(AirflowFailException, match="Profile default: compare recorded no reconciliation"):
        say(record(store, OWN), compare=state)


@pytest.mark.parametrize(
    ("date", "scope", "profile", "found"),
    [
        (datetime.date(2026, 11, 20), "date", "default", "Profile default, business date 2026-11-20"),
        (OWN, "full", "default", "Profile default, full comparison of 2026-11-16"),
        (OWN, "date", "other", "Profile default, business date 2026-11-16"),
    ],
)
def test_a_green_one_of_another_date_scope_or_profile_makes_no_run_green(
    store: Connection, date: datetime.date, scope: str, profile: str, found: str
) -> None:
    """As after a restore: Airflow has kept what *compare* said, and the store counts its reconciliations anew."""
    number = record(store, date, scope=scope)

    with pytest.raises(AirflowFailException) as caught:
        say(number, profile=profile)

    assert str(caught.value) == (
        f"Profile {profile}, business date 2026-11-16: this run recorded reconciliation {number}, but the store has "
        f"{found} under that number: it was restored from a backup, or is a different store. Run the date again: clear "
        "the whole run, or trigger a new one for that date"
    )


def test_one_that_the_store_does_not_have_is_told_with_profile_date_and_what_to_do() -> None:
    with pytest.raises(AirflowFailException) as caught:
        say(77, scope="full")

    assert str(caught.value) == (
        "Profile default, full comparison of 2026-11-16: this run recorded reconciliation 77, but the store has none "
        "under that number: it was restored from a backup, or is a different store. Run the date again: clear the "
        "whole run, or trigger a new one for that date"
    )
