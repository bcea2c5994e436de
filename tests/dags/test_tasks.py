"""Every task of every DAG: after what it runs and where, how long at most, and who is told what of it.

The tables say what the docs of the DAGs, docs/operating.md and docs/scaling.md promise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

# By DAG and task: the tasks that it comes after, the rule by which it runs then (all_done: whatever became of them;
# skipped is not failed), its pool, its weight among tasks that wait for a slot, with the rule by which that
# grows (absolute: not at all), the minutes that it may take, and how often Airflow tries it again, where
# something was away: a poll of the queue is never repeated as if nothing had happened.
RUNS = """
ropo_alert_trial
    send            -                                              all_success      default_pool  1/downstream  10   0
ropo_full_comparison
    profiles        -                                              all_success      default_pool  1/downstream  180  2
    settle          profiles                                       all_success      default_pool  1/downstream  180  2
    reread          profiles,settle                                none_failed      ropo_one      1/downstream  180  2
    compare         profiles,reread                                all_done         erp_ledger    1/downstream  180  2
    verdict         compare,profiles                               all_done         default_pool  1/downstream  180  2
    outcome         compare,profiles,reread,settle                 none_failed      default_pool  1/downstream  180  2
ropo_invoice_check
    ask             -                                              all_success      ropo_one      1/downstream  30   0
    show            ask                                            all_done         erp_ledger    1/downstream  30   0
    outcome         ask                                            none_failed      default_pool  1/downstream  30   0
ropo_maintenance
    remove_pages    -                                              all_success      default_pool  1/downstream  120  0
    erase_texts     remove_pages                                   all_done         default_pool  1/downstream  120  0
    outcome         remove_pages                                   none_failed      default_pool  1/downstream  120  0
ropo_reconciliation
    profiles        -                                              all_success      default_pool  1/downstream  60   2
    settle          profiles                                       all_success      default_pool  1/downstream  60   2
    reread          profiles,settle                                none_failed      ropo_one      1/downstream  60   2
    compare         profiles,reread                                all_done         erp_ledger    1/downstream  60   2
    verdict         compare,profiles                               all_done         default_pool  1/downstream  60   2
    reread_earlier  profiles,reread                                all_done         ropo_one      1/downstream  60   2
    recheck         compare,profiles,reread_earlier                all_done         erp_ledger    1/downstream  60   2
    outcome         compare,profiles,reread,reread_earlier,settle  none_failed      default_pool  1/downstream  60   2
ropo_status_drain
    drain           -                                              all_success      ropo_one      100/absolute  30   0
    recover         drain                                          all_done         ropo_one      100/absolute  30   0
    watch           recover                                        all_done         default_pool  100/absolute  30   0
    outcome         drain,recover,watch                none_failed_min_one_success  default_pool  100/absolute  30   0
"""
# What is called where a task begins, fails, succeeds, waits for its next try, is skipped.
CALLS = """
ropo_full_comparison
    compare         task_began  FailedTaskNotifier(each_date=True)   failure_is_over  task_ended  task_ended
    verdict         -           RedVerdictNotifier(scope='full')     -                -           -
ropo_maintenance
    remove_pages    task_began  FailedTaskNotifier(each_date=False)  failure_is_over  task_ended  failure_is_over
    erase_texts     task_began  FailedTaskNotifier(each_date=False)  failure_is_over  task_ended  failure_is_over
ropo_reconciliation
    verdict         -           RedVerdictNotifier(scope=None)       -                -           -
    reread_earlier  task_began  FailedTaskNotifier(each_date=False)  failure_is_over  task_ended  task_ended
    recheck         task_began  FailedTaskNotifier(each_date=False)  failure_is_over  task_ended  task_ended
"""


def lines(table: str) -> list[list[str]]:
    """The lines of a table, each with its DAG before it."""
    found, dag_id = [], ""
    for line in table.strip().splitlines():
        if line.startswith(" "):
            found.append([dag_id, *line.split()])
        else:
            dag_id = line
    return found


def tasks(bag: DagBag) -> list[Any]:
    return [task for dag_id in sorted(bag.dags) for task in bag.dags[dag_id].tasks]


def name_of(task_id: str) -> str:
    """A task's own name; that of its group is ``profile``."""
    return task_id.removeprefix("profile.")


def runs(task: Any) -> list[str]:
    after = ",".join(sorted(name_of(each) for each in task.upstream_task_ids)) or "-"
    weight = f"{task.priority_weight}/{getattr(task.weight_rule, 'value', task.weight_rule)}"
    minutes = round(task.execution_timeout.total_seconds() / 60)
    where = (task.trigger_rule.value, task.pool, weight, str(minutes), str(task.retries))
    return [task.dag_id, name_of(task.task_id), after, *where]


def called(callbacks: list[Any]) -> str:
    """Callbacks by their names; notifiers with what they were made with."""
    said = []
    for each in callbacks:
        if isinstance(each, BaseNotifier):
            own = [f"{name}={getattr(each, name)!r}" for name in ("each_date", "scope") if hasattr(each, name)]
            said.append(f"{type(each).__name__}({','.join(own)})")
        else:
            said.append(each.__name__)
    return "+".join(said) or "-"


def calls(task: Any) -> list[str]:
    kinds = ("execute", "failure", "success", "retry", "skipped")
    return [task.dag_id, name_of(task.task_id), *(called(getattr(task, f"on_{kind}_callback")) for kind in kinds)]


def test_each_task_runs_after_what_and_where_the_docs_say(bag: DagBag) -> None:
    assert [runs(task) for task in tasks(bag)] == lines(RUNS)


def test_of_each_task_is_told_what_the_docs_say(bag: DagBag) -> None:
    found = [calls(task) for task in tasks(bag)]
    assert [each for each in found if set(each[2:]) != {"-"}] == lines(CALLS)
