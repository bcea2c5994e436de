"""
### Reconcile one business date with the ERP ledger

One run a business date (its partition key, `YYYY-MM-DD`), at the midnight that ends it in Helsinki; for each profile
that **profiles** found in the file:

1. **settle** waits, without holding a worker, for the profile's own midnight plus `settle_hours`. Scheduled runs only.
2. **reread** asks Ropo One for the date and keeps what no drain brought (*recovered*).
3. **compare** takes the ledger's rows and compares every invoice of the date, as both sides stand now. The result is a
   new reconciliation beside any earlier one of the date; none is ever changed.
   Before it records breaks it asks Ropo One about up to `second_opinions` of them again, by invoice number, where its
   word can change them and was not asked for in the last 12 hours (7 days where the break stands already); where the
   re-read had as many rows as an answer may hold and was not shown whole, about each of the date's invoices, if they
   are no more than `cut_date_invoices` (100); of more it asks nothing, and the date is `incomplete`.
4. **verdict** turns the run red on the verdicts that the profile names in `fail_on` (`breaks`, `incomplete`).
5. **reread_earlier** asks for each of the last `late_days` again, since changes are recorded late, for unfinished dates
   whose re-read failed or was cut, and for reconciled ones whose last of these re-reads failed or was left out.
   Scheduled runs only.
6. **recheck** compares the last `late_days` again and, of the last `recheck_days` (more where `late_days` or
   `first_event_days` need it: `profiles.yaml`), every date that is unfinished or of which events have come since, in
   one pass, and records a new reconciliation where the result is another: mended days turn green, pending ones red when
   their grace is over. Of older dates it takes those with something pending, if that was recorded within as many days.
   Scheduled runs only.

**outcome** is red if an earlier task of any profile failed, and with it the run: Airflow judges a run by its last
tasks alone, and these run whatever failed before them.

**Backfill by date:** open the DAG, *Trigger*, *Backfill*, pick the first and the last date, leave the param `date`
empty, choose *All runs* to run dates again, start. Each date picked gives one run, of the profiles that had begun by
then (`start_date`; the log of *profiles* names those left out); a date that is not over gives none, and the run of one
before every `start_date` fails at once.
A red date that is older than **recheck** looks back is told; backfill it anew once its differences are mended, since no
night does.
Set the UI's time zone to UTC or Helsinki: west of UTC Airflow's form shifts the dates by one day. By hand, for one
date: *Single run* with the param `date`. With the param `scope` at `full` a run by hand compares all invoices that are
not settled, as `ropo_full_comparison` does at each month's end; a backfill refuses it, since it would do so once for
every date.

A task that found Ropo One, the store or the ledger away is tried again up to twice, each time after Airflow's own
`default_task_retry_delay` (5 minutes), and so is one whose process was killed. Any other error fails it at once; a
token that is refused is one (a PostgreSQL's refused password is not: it counts as away).

**When it is red:**

- *profiles* failed: nothing was asked. The run has no date that is over, or one before `start_date`, or its params do
  not fit each other, or it was cleared and the profiles file has changed too much; the line with the error says which.
- *reread* failed: Ropo One could not be asked, or has asked to be left alone until later (`Retry-After`). *compare* ran
  all the same and says `incomplete`. Run the date again.
- *compare* failed: the ledger or the store could not be read, or the profile's SELECT breaks the contract; the line
  with the error says what. Mend it and run the date again. *verdict* fails with it, as it does where *compare* was
  skipped by hand: there is nothing that it could say.
- *verdict* failed: the line with the error names the verdict and its reasons, the log the counts by category too.
  `incomplete` says what is missing; mend that and run the date again. `breaks` are for finance: the page
  *Reconciliation* shows them and takes those that are to stay, with a note; the task links to it (*Details*, *Extra
  Links*). The date turns green with its next reconciliation.
- *reread_earlier* failed: some earlier date could not be asked. The others were; the next run asks it again.
- *recheck* failed: as *compare*. Nothing of it was recorded; the next run makes up for it.

A failure of these two is an alert until the task succeeds again.

Running a date again, twice at once even, is safe. A task that is cleared works on the profile that it had, and fails
where that is not in the file any more. A run that is cleared whole takes the file as it is, and refuses one with more
profiles than the run began with: run the date anew then.
"""

from __future__ import annotations

import datetime

from airflow.sdk import DAG, Param, TriggerRule, task_group

from include.config.profiles import SCHEDULE_ZONE, load_profiles
from ropo_one.alerts import RedVerdictNotifier, told_when_it_fails
from ropo_one.business_date import LONG_AGO, date_param
from ropo_one.deadline import verdict_deadlines
from ropo_one.operators.polling import RopoEarlierRereadOperator, RopoStatusRereadOperator
from ropo_one.operators.reconciliation import RecheckOperator, ReconciliationOperator, SettleOperator, VerdictOperator
from ropo_one.operators.run_profiles import RunProfilesOperator
from ropo_one.outcome import end_with_outcome
from ropo_one.retrying import tried_again_where_something_was_away
from ropo_one.timetable import BusinessDateTimetable

PROFILES = load_profiles()

with DAG(
    dag_id="ropo_reconciliation",
    doc_md=__doc__,
    schedule=BusinessDateTimetable(timezone=SCHEDULE_ZONE),
    start_date=LONG_AGO,
    catchup=False,
    # Deferred runs of earlier days wait here beside a backfill's.
    max_active_runs=16,
    # A scheduled date that has no verdict by the profile's hour of the next morning is told.
    deadline=verdict_deadlines(PROFILES),
    params={
        "date": date_param(),
        "scope": Param(
            "date",
            type="string",
            enum=["date", "full"],
            title="Scope",
            description="date: the invoices of the date. full: all that are not settled (ended or paid on both sides); "
            "for a run by hand, refused in a backfill.",
        ),
    },
    default_args={**tried_again_where_something_was_away(), "execution_timeout": datetime.timedelta(hours=1)},
    tags=["ropo-one", "reconciliation"],
) as dag:

    @task_group
    def profile(name: str) -> None:
        """One profile's date; its failure stays its own."""
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
            scope="{{ params.scope }}",
            pool="erp_ledger",
            # A date that could not be re-read is compared all the same: its verdict says that it is incomplete.
            trigger_rule=TriggerRule.ALL_DONE,
        )
        verdict = VerdictOperator(
            task_id="verdict",
            profile=name,
            reconciliation_task_id="profile.compare",
            scope="{{ params.scope }}",
            # Without a comparison it is red, and not skipped.
            trigger_rule=TriggerRule.ALL_DONE,
            on_failure_callback=RedVerdictNotifier(),
        )
        # What is about earlier dates goes on whatever became of the run's own, and of each other.
        reread_earlier = RopoEarlierRereadOperator(
            task_id="reread_earlier",
            profile=name,
            pool="ropo_one",
            trigger_rule=TriggerRule.ALL_DONE,
            **told_when_it_fails(),
        )
        recheck = RecheckOperator(
            task_id="recheck",
            profile=name,
            reconciliation_task_id="profile.compare",
            pool="erp_ledger",
            trigger_rule=TriggerRule.ALL_DONE,
            **told_when_it_fails(),
        )
        settle >> reread >> compare >> verdict
        reread >> reread_earlier
        [compare, reread_earlier] >> recheck

    profiles = RunProfilesOperator(
        task_id="profiles", scheduled_only=["profile.settle", "profile.reread_earlier", "profile.recheck"]
    )
    profile.expand(name=profiles.output)
    end_with_outcome(dag)
