"""
### Drain Ropo One's status queue

Every 15 minutes, for each profile:

1. **drain** polls `GET /rest/jobs/statusupdates` until 204. Each page is on disk before the next request leaves; its
   events are stored beside the next requests, and before a 204 is put on record. Pages that are left without their
   events are taken up first. Where another drain holds the queue the task is skipped, and where Ropo One has asked to
   be left alone until later (`Retry-After`, a day at most): until then no task of the profile asks. Where slots of the
   pool are short, the tasks of this DAG go before those of any other.
2. **recover** re-reads the dates that a poll in doubt (a timeout, a broken answer, a killed process) may have lost, one
   by one, until each doubt is *recovered* or *unproven*.
3. **watch** tells what needs a person: a doubt older than an hour, no 204 in an hour, rows that could not be parsed,
   another consumer of the queue, a profile at work whose `start_date` lies ahead, one that the profiles file lacks now,
   a date that is red or has no verdict, a full comparison that is red, a signed month that changed, a task of another
   DAG that failed or was killed. Each is told once, again where its reasons change, and as the profile's `alerts` say.
   It emits the metrics too.

**outcome** makes the run red where a task of any profile failed; else it updates the asset `ropo_status_events`, for
DAGs of your own, whether or not anything new came.

**Backfill:** none; the queue knows no dates. Dates are re-read and backfilled by `ropo_reconciliation`.

**When it is red:** the line with the error in the failed task's log says what is wrong. Nothing has to be cleared: the
next run goes on by itself, and what a broken run may have lost is on record in `ropo.status_poll`.

- *drain* was marked or cleared while it ran: it kept the page under way, and asked for no other.
- *drain*: Ropo One cannot be reached or refuses the token: nothing was asked. Or the store is away, or lost the drain's
  session: a page that it could not take is put in doubt by the next run, and re-read.
- *recover*: a doubt is unproven. `python -m include.status_store doubts` lists it with the reason;
  `python -m include.status_store accept POLL --note …` accepts it. Or Ropo One cannot be asked: the next run goes on,
  and where it refuses for good, `accept POLL --not-asked --note …` accepts a doubt all the same.
- *watch*: an alert could not be sent. Mend the profile's `alerts` or its connection; the next run sends it.
  Or the store is away, or its disk is full: that is told too, in the first run of each hour;
  not in one that somebody triggers without a logical date.

Clearing a drain is safe: it judges what its earlier try left open, and never repeats a poll as if nothing had happened.
"""

from __future__ import annotations

import datetime

from airflow.sdk import DAG, Asset, TriggerRule, task, task_group

from include.config.profiles import DRAIN_MINUTES, load_profiles
from ropo_one.business_date import LONG_AGO, NO_BACKFILL
from ropo_one.operators.polling import RopoDoubtRecoveryOperator, RopoStatusDrainOperator
from ropo_one.operators.watch import WatchOperator

STATUS_EVENTS = Asset(name="ropo_status_events", uri="ropo-one://status_events")

with DAG(
    dag_id="ropo_status_drain",
    doc_md=__doc__,
    schedule=f"*/{DRAIN_MINUTES} * * * *",
    start_date=LONG_AGO,
    catchup=False,
    max_active_runs=1,
    allowed_run_types=NO_BACKFILL,
    default_args={
        # A retry would come within seconds; the next run comes anyway, and judges what this one left.
        "retries": 0,
        "pool": "ropo_one",
        # Before a backfill's re-reads, which wait for slots of the same pool: by Airflow's own rule a task weighs as
        # much as all that comes after it, and more comes after a re-read than after a drain.
        "weight_rule": "absolute",
        "priority_weight": 100,
        "execution_timeout": datetime.timedelta(minutes=30),
    },
    tags=["ropo-one", "drain"],
) as dag:

    @task_group
    def profile(name: str) -> None:
        """One profile's queue."""
        drain = RopoStatusDrainOperator(task_id="drain", profile=name)
        recover = RopoDoubtRecoveryOperator(task_id="recover", profile=name, trigger_rule=TriggerRule.ALL_DONE)
        watch = WatchOperator(task_id="watch", profile=name, trigger_rule=TriggerRule.ALL_DONE, pool="default_pool")
        drain >> recover >> watch

    @task(outlets=[STATUS_EVENTS], trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, pool="default_pool")
    def outcome() -> None:
        """Update the asset; not done, so that the run is red, where a profile's task failed."""

    # The file's own list: each task works for itself, whichever profile stands at its place.
    profile.expand(name=[each.name for each in load_profiles()])
    # After each of their tasks, not their last ones alone: those run whatever became of the earlier ones.
    [dag.get_task(f"profile.{name}") for name in ("drain", "recover", "watch")] >> outcome()
