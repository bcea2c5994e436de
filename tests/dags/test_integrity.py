"""Every DAG loads without a database, explains itself, and can never poll blindly."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag
from airflow.models.taskinstance import TaskInstance
from airflow.sdk import ExceptionRetryPolicy, RetryAction, TriggerRule
from airflow.sdk.definitions.taskgroup import MappedTaskGroup
from airflow.serialization.serialized_objects import DagSerialization
from airflow.task.priority_strategy import validate_and_load_priority_weight_strategy
from airflow.utils.types import DagRunType

from include.watch.failed import MEANINGS
from local_airflow.paths import ROOT
from ropo_one.alerts import FailedTaskNotifier, RedVerdictNotifier, failure_is_over, task_ended
from ropo_one.operators.maintenance import RetentionOperator
from ropo_one.operators.polling import RopoDoubtRecoveryOperator, RopoEarlierRereadOperator, RopoStatusDrainOperator
from ropo_one.operators.profile import ProfileOperator
from ropo_one.operators.reconciliation import (
    LedgerOperator,
    RecheckOperator,
    ReconciliationOperator,
    SettleOperator,
    VerdictOperator,
)
from ropo_one.operators.run_profiles import RunProfilesOperator
from ropo_one.operators.trial import TrialAlertOperator
from ropo_one.operators.watch import WatchOperator
from ropo_one.plugin import RopoOnePlugin
from ropo_one.retrying import tried_again_where_something_was_away

if TYPE_CHECKING:
    import pathlib

    from airflow.sdk import DAG

DAGS = ROOT / "dags"
TAGS = {"ropo-one", "drain", "reconciliation", "invoice", "maintenance", "alerts"}
# Of one task, which says itself whether the run is red.
PLAIN = {"ropo_alert_trial"}
IDS = {
    "ropo_alert_trial",
    "ropo_full_comparison",
    "ropo_invoice_check",
    "ropo_maintenance",
    "ropo_reconciliation",
    "ropo_status_drain",
}
POOLS = set(json.loads((ROOT / "include" / "config" / "pools.json").read_text(encoding="utf-8")))


@pytest.fixture(params=sorted(IDS))
def dag(bag: DagBag, request: pytest.FixtureRequest) -> DAG:
    return bag.dags[request.param]


def callbacks(given: object) -> Sequence[Any]:
    """A task's callbacks of one kind, of which Airflow makes a list whatever it is given."""
    assert isinstance(given, Sequence)
    return given


def as_the_scheduler_reads_it(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A DAG written down and read again, with the plugin's parts known."""
    for kind in ("timetables", "deadline_references"):
        registered = {f"{each.__module__}.{each.__qualname__}": each for each in getattr(RopoOnePlugin, kind)}
        monkeypatch.setattr(f"airflow.plugins_manager.get_{kind}_plugins", lambda found=registered: found)
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


def test_a_full_comparison_that_is_red_is_told(bag: DagBag) -> None:
    verdict = bag.dags["ropo_full_comparison"].get_task("profile.verdict")
    assert [type(callback) for callback in callbacks(verdict.on_failure_callback)] == [RedVerdictNotifier]


@pytest.mark.parametrize("dag_id", ["ropo_reconciliation", "ropo_full_comparison"])
def test_a_verdict_is_of_what_was_compared(bag: DagBag, dag_id: str) -> None:
    compare, verdict = (bag.dags[dag_id].get_task(f"profile.{name}") for name in ("compare", "verdict"))
    assert isinstance(compare, ReconciliationOperator)
    assert isinstance(verdict, VerdictOperator)
    assert verdict.scope == compare.scope
    assert "scope" in verdict.template_fields


def test_a_task_whose_failure_nothing_in_the_store_shows_is_told_in_its_own_words_until_it_succeeds(
    bag: DagBag,
) -> None:
    told = [
        task
        for dag in bag.dags.values()
        for task in dag.tasks
        if [type(callback) for callback in callbacks(task.on_failure_callback)] == [FailedTaskNotifier]
    ]
    assert {f"{task.dag_id} {task.task_id.removeprefix('profile.')}" for task in told} == set(MEANINGS)
    assert [task for task in told if failure_is_over not in callbacks(task.on_success_callback)] == []
    assert {task.dag_id for task in told if failure_is_over in callbacks(task.on_skipped_callback)} == {
        "ropo_maintenance"
    }


def test_such_a_task_is_told_too_where_its_process_is_killed(bag: DagBag) -> None:
    """It says when it begins until when it is over, and that it ended."""
    for dag in bag.dags.values():
        for task in dag.tasks:
            notifiers = [each for each in callbacks(task.on_failure_callback) if isinstance(each, FailedTaskNotifier)]
            begins = [callback.__self__ for callback in callbacks(task.on_execute_callback)]
            assert begins == notifiers, task.task_id
            if notifiers:
                assert task.execution_timeout, task.task_id
                assert task.on_retry_callback == [task_ended], task.task_id
                assert {*callbacks(task.on_skipped_callback)} & {task_ended, failure_is_over}, task.task_id


def test_every_file_is_one_dag_that_loads(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == IDS == {path.stem for path in DAGS.glob("*.py")}


@pytest.mark.parametrize("file", sorted(DAGS.glob("*.py")), ids=lambda path: path.stem)
def test_a_file_loads_where_no_database_is(file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    unreachable = "postgresql+psycopg2://nobody@127.0.0.1:9/nothing"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": unreachable,
    }
    loaded = subprocess.run([sys.executable, str(file)], env=environment, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr


HTTP_CLIENTS = {"aiohttp", "requests", "urllib3"}
IMPORTED_BY_A_PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
assert not DagBag(dag_folder=sys.argv[1]).import_errors
print(json.dumps(sorted(sys.modules)))
"""


def test_parsing_imports_no_http_client(tmp_path: pathlib.Path) -> None:
    """Airflow parses each file every half minute, in a process that has not imported it before."""
    parsed = subprocess.run(
        [sys.executable, "-c", IMPORTED_BY_A_PARSE, str(DAGS)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
            "AIRFLOW_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(json.loads(parsed.stdout.splitlines()[-1]))
    assert "ropo_one.operators.polling" in imported
    assert imported & HTTP_CLIENTS == set()


def test_its_docs_say_how_to_backfill_and_what_to_do_when_it_is_red(dag: DAG) -> None:
    assert dag.doc_md is not None
    assert "**Backfill" in dag.doc_md
    assert "**When it is red:**" in dag.doc_md


def test_its_tags_are_known(dag: DAG) -> None:
    assert "ropo-one" in dag.tags
    assert set(dag.tags) <= TAGS


def test_tried_again_are_only_tasks_that_ask_by_date_and_compare(dag: DAG) -> None:
    """A retry of any other could poll the queue again as if nothing had happened."""
    by_date = dag.dag_id in {"ropo_reconciliation", "ropo_full_comparison"}
    assert {task.retries for task in dag.tasks} <= ({2} if by_date else {0})
    polling = [task for task in dag.tasks if isinstance(task, RopoStatusDrainOperator | RopoDoubtRecoveryOperator)]
    assert not (by_date and polling)


def test_none_is_tried_again_without_the_policy_that_fails_what_it_does_not_name(dag: DAG) -> None:
    for task in dag.tasks:
        if task.retries:
            policy = task.retry_policy
            assert isinstance(policy, ExceptionRetryPolicy), task.task_id
            assert policy.serialize() == tried_again_where_something_was_away()["retry_policy"].serialize()
            assert policy.default is RetryAction.FAIL, task.task_id
        else:
            assert task.retry_policy is None, task.task_id


def test_the_wait_before_the_next_try_is_airflows_own_and_the_policy_survives_serialization(
    dag: DAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled = as_the_scheduler_reads_it(dag, monkeypatch)
    for task in dag.tasks:
        assert task.retry_delay == datetime.timedelta(seconds=conf.getint("core", "default_task_retry_delay"))
        read = scheduled.get_task(task.task_id)
        assert (read.retries, read.has_retry_policy) == (task.retries, bool(task.retries))


def test_every_task_that_calls_ropo_or_reads_a_ledger_is_in_a_pool(dag: DAG) -> None:
    for task in dag.tasks:
        operator = task.operator_class if task.is_mapped else type(task)
        if issubclass(
            operator, SettleOperator | VerdictOperator | WatchOperator | RetentionOperator | TrialAlertOperator
        ):
            assert task.pool == "default_pool", task.task_id
        elif issubclass(operator, LedgerOperator):
            assert task.pool == "erp_ledger", task.task_id
        elif issubclass(operator, ProfileOperator):
            assert task.pool == "ropo_one", task.task_id
    assert {task.pool for task in dag.tasks} <= POOLS | {"default_pool"}


def scheduled_only(dag: DAG) -> Sequence[str]:
    profiles = dag.get_task("profiles")
    assert isinstance(profiles, RunProfilesOperator)
    return profiles.scheduled_only


def test_a_backfill_starts_no_task_that_only_a_scheduled_run_needs(bag: DagBag) -> None:
    """They are skipped by the first task, by their ids; each of them skips itself where it is started all the same."""
    dag = bag.dags["ropo_reconciliation"]
    waits = {SettleOperator}
    assert {type(dag.get_task(task_id)) for task_id in scheduled_only(dag)} == waits | {
        RopoEarlierRereadOperator,
        RecheckOperator,
    }
    full = bag.dags["ropo_full_comparison"]
    assert {type(full.get_task(task_id)) for task_id in scheduled_only(full)} == waits


def test_one_drain_run_at_a_time_and_no_catchup(bag: DagBag) -> None:
    drain = bag.dags["ropo_status_drain"]
    assert (drain.max_active_runs, drain.catchup) == (1, False)
    assert {type(task) for task in drain.tasks if isinstance(task, ProfileOperator)} == {
        RopoStatusDrainOperator,
        RopoDoubtRecoveryOperator,
        WatchOperator,
    }


@pytest.mark.parametrize("dag_id", sorted(IDS))
def test_a_run_has_as_many_tasks_at_once_as_airflow_is_told(dag_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/scaling.md says which variable to turn: no DAG sets its own."""
    monkeypatch.setenv("AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG", "48")
    assert DagBag(dag_folder=DAGS / f"{dag_id}.py").dags[dag_id].max_active_tasks == 48


def weight(task: Any) -> int:
    """What the scheduler orders a waiting task by, the heaviest first."""
    waiting = cast("TaskInstance", SimpleNamespace(task=task))
    return validate_and_load_priority_weight_strategy(task.weight_rule).get_weight(waiting)


def test_the_drains_tasks_go_before_those_of_any_other_dag_such_as_a_backfills(bag: DagBag) -> None:
    drain = bag.dags["ropo_status_drain"]
    others = [task for dag in bag.dags.values() if dag is not drain for task in dag.tasks]

    assert min(map(weight, drain.tasks)) > max(map(weight, others))


def test_a_run_is_red_where_any_task_of_a_profile_is(bag: DagBag) -> None:
    """Airflow asks the last tasks alone, and they run whatever became of earlier ones."""
    mapped = {dag_id: dag for dag_id, dag in bag.dags.items() if dag.has_task("outcome")}
    assert set(mapped) == IDS - PLAIN
    for dag in mapped.values():
        last = {task.task_id for task in dag.tasks if not task.downstream_task_ids}
        assert dag.get_task("outcome").upstream_task_ids | last == set(dag.task_ids), dag.dag_id
    rules = {dag_id: dag.get_task("outcome").trigger_rule for dag_id, dag in mapped.items()}
    # It updates an asset, which nothing has to where all was skipped; elsewhere a run that only skips is green.
    assert rules.pop("ropo_status_drain") == TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    assert set(rules.values()) == {TriggerRule.NONE_FAILED}


def test_no_task_is_started_for_a_green_outcome_but_to_update_the_asset(
    bag: DagBag, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start is most of what a date of a backfill costs."""
    for dag_id in IDS - PLAIN - {"ropo_status_drain"}:
        tasks = as_the_scheduler_reads_it(bag.dags[dag_id], monkeypatch).tasks
        assert [task.task_id for task in tasks if not TaskInstance.is_task_schedulable(task)] == ["outcome"]


@pytest.mark.parametrize("dag_id", ["ropo_reconciliation", "ropo_full_comparison"])
def test_the_profiles_of_a_run_are_its_own_where_tasks_read_of_one_another(bag: DagBag, dag_id: str) -> None:
    """A literal list would give a cleared task the profile that stands at its place in the file by then."""
    group = bag.dags[dag_id].task_group.children["profile"]
    assert isinstance(group, MappedTaskGroup)
    assert [task.task_id for task in group.iter_mapped_dependencies()] == ["profiles"]


def test_what_has_no_dates_cannot_be_backfilled(dag: DAG) -> None:
    says_so = "**Backfill:** none" in (dag.doc_md or "")
    runs = dag.allowed_run_types
    assert says_so == (dag.schedule is None or (runs is not None and DagRunType.BACKFILL_JOB not in runs))
    assert runs is None or isinstance(runs, frozenset)
    assert runs is None or {each.value for each in runs} == {each.value for each in DagRunType} - {
        "backfill",
        "asset_triggered",
    }


def test_a_mistake_in_the_profiles_is_one_import_error_that_names_file_profile_and_key(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "profiles.yaml"
    file.write_text("profiles:\n  - name: acme\n    timezon: Europe/Helsinki\n", encoding="utf-8")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))

    bag = DagBag(dag_folder=DAGS / "ropo_status_drain.py")

    (error,) = bag.import_errors.values()
    assert f"{file}: profile 'acme', key 'timezon': is not known" in error


OLDEST = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def test_a_run_by_hand_has_its_tasks_whatever_logical_date_it_is_given(dag: DAG) -> None:
    """Airflow makes no task that starts after a run's logical date, and calls a run without tasks a success."""
    late = [task.task_id for task in dag.tasks if task.start_date is not None and task.start_date > OLDEST]
    assert late == []


NOW = datetime.datetime(2026, 11, 27, 1, 2, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("dag_id", "run_after", "key"),
    [
        ("ropo_status_drain", "2026-11-27T01:00", None),
        ("ropo_maintenance", "2026-11-26T04:30", None),
        ("ropo_reconciliation", "2026-11-26T22:00", "2026-11-26"),
        ("ropo_full_comparison", "2026-10-31T22:00", "2026-10-31"),
    ],
)
def test_once_unpaused_its_first_scheduled_run_is_the_newest_that_is_due(
    bag: DagBag, monkeypatch: pytest.MonkeyPatch, dag_id: str, run_after: str, key: str | None
) -> None:
    """However far back it starts, nothing of before is caught up with."""
    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: NOW)
    scheduled = as_the_scheduler_reads_it(bag.dags[dag_id], monkeypatch)

    first = scheduled.next_dagrun_info(last_automated_run_info=None)

    assert first is not None
    assert (first.run_after, first.partition_key) == (datetime.datetime.fromisoformat(f"{run_after}+00:00"), key)
