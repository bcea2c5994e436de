"""
### Keep the store no larger than the profiles want

Every night, for each profile:

1. **remove_pages** removes the bodies of raw pages older than `page_retention_days`, once their rows are events and
   every business date that they bear on is reconciled. Journal row, hash and size stay.
2. **erase_texts** erases the free texts of events older than `text_retention_days` (comments are personal data), from
   events, revisions, settled rows in quarantine and raw pages. Keys, codes, times and amounts stay, and so do verdicts.

Each is skipped where its key is 0, as it is by default: everything is kept then. Each is bounded in time and leaves the
rest to the next run. The texts of one invoice are erased at any time by
`python -m include.status_store.retention erase --profile NAME --billnum NUMBER --by WHO --note WHY`, those of one job
with `--jobid`.

**outcome** is red if an earlier task of any profile failed, and with it the run: Airflow judges a run by its last
tasks alone, and these run whatever failed before them.

**Backfill:** none; each run looks at everything that is old enough.

**When it is red:** the line with the error in the failed task's log says why. Nothing has to be cleared: the next run
goes on. A failure is an alert until the task succeeds again. A run that was given a param did nothing: it has none, and
is of every profile.
"""

from __future__ import annotations

import datetime

from airflow.sdk import DAG, TriggerRule, task_group

from include.config.profiles import load_profiles
from ropo_one.alerts import failure_is_over, told_when_it_fails
from ropo_one.business_date import LONG_AGO, NO_BACKFILL
from ropo_one.operators.maintenance import EraseTextsOperator, RemovePagesOperator
from ropo_one.outcome import end_with_outcome

with DAG(
    dag_id="ropo_maintenance",
    doc_md=__doc__,
    schedule="30 4 * * *",
    start_date=LONG_AGO,
    catchup=False,
    max_active_runs=1,
    allowed_run_types=NO_BACKFILL,
    default_args={"retries": 0, "execution_timeout": datetime.timedelta(hours=2)},
    tags=["ropo-one", "maintenance"],
) as dag:
    # Not of the whole DAG: with a callback `outcome` would be started as any task is.
    @task_group(
        default_args={
            **told_when_it_fails(),
            # Its retention was switched off: nothing is overdue.
            "on_skipped_callback": failure_is_over,
        }
    )
    def profile(name: str) -> None:
        """One profile's rows."""
        pages = RemovePagesOperator(task_id="remove_pages", profile=name)
        # One after the other: both change raw pages.
        texts = EraseTextsOperator(task_id="erase_texts", profile=name, trigger_rule=TriggerRule.ALL_DONE)
        pages >> texts

    # The file's own list: each task works for itself, whichever profile stands at its place.
    profile.expand(name=[each.name for each in load_profiles()])
    end_with_outcome(dag)
