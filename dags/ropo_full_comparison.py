"""
### Compare every unsettled invoice with the ERP ledger

At each month's end (its partition key is the month's last day), for each profile that **profiles** found in the file
and that had begun by then (`start_date`): all invoices that are not settled, whatever their dates. Settled are those
that agree, are ended or paid on both sides, and have no break left. So a ledger row that was deleted, or an ERP that
does not say what it changed, hides nothing. A month's sign-off needs one.

1. **settle** waits, without holding a worker, for the profile's own midnight plus `settle_hours`. Scheduled runs only.
2. **reread** asks Ropo One for the month's last day.
3. **compare** reads the whole ledger and records one reconciliation of scope `full`. Where it fails, that is an alert
   until one succeeds. Where it never began, since a task before it failed or the DAG was paused, that is one from the
   profile's `deadline_hour` of the 2nd on, until a comparison is recorded.
4. **verdict** turns the run red on the verdicts that the profile names in `fail_on` (`breaks`, `incomplete`).

What it leaves pending, and no date shows, is looked at by the nightly recheck of `ropo_reconciliation` when its grace
is over: as a break it stands at the business date of this comparison.

**outcome** is red if an earlier task of any profile failed, and with it the run: Airflow judges a run by its last
tasks alone, and these run whatever failed before them.

**Backfill:** each month's last day in the range picked gives one run. Both sides are compared as they stand now, so
that one run says as much as twelve, and a break that a date has shown keeps its age. By hand, for any date: *Single
run* with the param `date`.

A task that found Ropo One, the store or the ledger away is tried again up to twice, each time after Airflow's own
`default_task_retry_delay` (5 minutes), and so is one whose process was killed. Any other error fails it at once; a
token that is refused is one (a PostgreSQL's refused password is not: it counts as away).

**When it is red:** as `ropo_reconciliation`.
"""

from __future__ import annotations

import datetime

from airflow.sdk import DAG, TriggerRule, task_group

from include.config.profiles import SCHEDULE_ZONE, load_profiles
from ropo_one.alerts import RedVerdictNotifier, told_when_it_fails
from ropo_one.business_date import LONG_AGO, date_param
from ropo_one.operators.polling import RopoStatusRereadOperator
from ropo_one.operators.reconciliation import ReconciliationOperator, SettleOperator, VerdictOperator
from ropo_one.operators.run_profiles import RunProfilesOperator
from ropo_one.outcome import end_with_outcome
from ropo_one.retrying import tried_again_where_something_was_away
from ropo_one.timetable import MonthEndTimetable

# Its mistakes are import errors; whose tasks a run has is what its own task `profiles` says.
load_profiles()

with DAG(
    dag_id="ropo_full_comparison",
    doc_md=__doc__,
    schedule=MonthEndTimetable(timezone=SCHEDULE_ZONE),
    start_date=LONG_AGO,
    catchup=False,
    max_active_runs=2,
    params={"date": date_param()},
    default_args={**tried_again_where_something_was_away(), "execution_timeout": datetime.timedelta(hours=3)},
    tags=["ropo-one", "reconciliation"],
) as dag:

    @task_group
    def profile(name: str) -> None:
        """One profile's comparison; its failure stays its own."""
        settle = SettleOperator(task_id="settle", profile=name)
        reread = RopoStatusRereadOperator(
            task_id="reread",
            profile=name,
            pool="ropo_one",
            # `settle` is skipped in runs that are not scheduled; skipped is not failed.
            trigger_rule=TriggerRule.NONE_FAILED,
        )
        compare = ReconciliationOperator(
            task_id="compare",
            profile=name,
            reread_task_id="profile.reread",
            scope="full",
            pool="erp_ledger",
            trigger_rule=TriggerRule.ALL_DONE,
            **told_when_it_fails(each_date=True),
        )
        verdict = VerdictOperator(
            task_id="verdict",
            profile=name,
            reconciliation_task_id="profile.compare",
            scope="full",
            # Without a comparison it is red, and not skipped.
            trigger_rule=TriggerRule.ALL_DONE,
            on_failure_callback=RedVerdictNotifier(scope="full"),
        )
        settle >> reread >> compare >> verdict

    profiles = RunProfilesOperator(task_id="profiles", scheduled_only=["profile.settle"], begun_only=True)
    profile.expand(name=profiles.output)
    end_with_outcome(dag)
