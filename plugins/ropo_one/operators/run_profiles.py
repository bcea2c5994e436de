"""The first task of a run that is mapped over profiles: which ones they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator, TaskInstanceState, timezone
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped

from include.config.profiles import load_profiles, profiles_file
from ropo_one.business_date import SCHEDULED, business_date
from ropo_one.params import refuse_unknown_params

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Sequence

    from airflow.sdk import Context
    from airflow.sdk.definitions.taskgroup import MappedTaskGroup

    from include.config.profiles import Profile

# A key of Airflow's task state store, which outlasts a task's tries; what a task returned goes when it starts anew.
_STATE_KEY = "profiles"


class RunProfilesOperator(BaseOperator):
    """Name the profiles of the file, for a task group that is mapped over them.

    So they belong to the run: a task of it that is cleared keeps its profile, whatever has become of the file since. A
    list in the DAG file would be read anew, and give the task the profile that stands at its place by then. Where this
    task is cleared and some of the group's are not, it names those of before; where all are, those of the file.

    :param scheduled_only: ids of the group's tasks that only scheduled runs need. In others they are skipped from here,
        for all profiles: a start of a task is most of what a date of a backfill costs.
    :param begun_only: whether scheduled runs, too, leave out profiles that begin after their date; with none left they
        have no tasks.
    """

    def __init__(self, *, scheduled_only: Sequence[str] = (), begun_only: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scheduled_only = scheduled_only
        self.begun_only = begun_only

    def execute(self, context: Context) -> list[str]:
        """Return their names, in the file's order; where no schedule made the run, of those begun by its date.

        :raises ConfigurationError: naming file, profile and key.
        :raises AirflowFailException: if the run was given a param that the DAG does not have; if it has no business
            date, or one that no schedule made and that is over in no profile's market, or before every profile's
            ``start_date``; if the run was cleared, and the file has more profiles than it began with, or an earlier
            version made it; if it was cleared in part, and its names are not kept.
        :raises DownstreamTasksSkipped: in a run that is not scheduled; Airflow then takes this task for a success.
        """
        # Not above: it is there in a task's process only.
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        refuse_unknown_params(self.dag, context)
        profiles, date = load_profiles(), business_date(context)
        concerned = _concerned(profiles, context)
        if self.begun_only:
            concerned = _begun(concerned, date)
        names = self._names([profile.name for profile in concerned], context)
        self._log_later(profiles, date, names)
        context["task_state_store"].set(_STATE_KEY, [*names], retention=NEVER_EXPIRE)
        if self.scheduled_only and context["dag_run"].run_type != SCHEDULED:
            self._push(names, context)
            # Until it is mapped a task has the index -1; the others are those of a run that was cleared.
            indexes = range(-1, len(names))
            tasks = [(task_id, index) for task_id in self.scheduled_only for index in indexes]
            # Airflow declares no types here.
            raise DownstreamTasksSkipped(tasks=tasks)  # type: ignore[no-untyped-call]
        return names

    def _log_later(self, profiles: Sequence[Profile], date: datetime.date, names: Collection[str]) -> None:
        """Say which profiles begin after the date: they are left out, or have green and empty tasks."""
        later = [profile for profile in profiles if profile.start_date > date]
        for without, what in ((True, "left out"), (False, "at work, but nothing sent before it is compared")):
            found = [f"{each.name} ({each.start_date})" for each in later if (each.name not in names) == without]
            if found:
                self.log.info("%s is before start_date (%s); %s: %s", date, profiles_file(), what, ", ".join(found))

    def _names(self, names: list[str], context: Context) -> list[str]:
        """Return the run's profiles; fail where a cleared run would not do what it says.

        A task that Airflow adds to a run it starts with the first of its kind, whatever has become of those before it.
        And of a run that an earlier version made, whose first task was not this one, it removes all tasks.
        """
        instance = context["ti"]
        tasks = [*cast("MappedTaskGroup", next(self.iter_mapped_dependants())).children]
        found = instance.get_task_states(instance.dag_id, task_ids=tasks, run_ids=[instance.run_id])
        # Of a mapped task the key is its id with its index; one that is not mapped yet has its id.
        mapped = {key: state for key, state in found.get(instance.run_id, {}).items() if key not in tasks}
        if not mapped:
            return names
        if instance.try_number == 1:
            raise _cannot_be_cleared("It was made by an earlier version of this DAG")
        if any(state not in (None, TaskInstanceState.REMOVED) for state in mapped.values()):
            had = context["task_state_store"].get(_STATE_KEY)
            if had is None:
                raise _cannot_be_cleared("Tasks of it keep what they did, and which profiles it had is not kept")
            return cast("list[str]", had)
        if not mapped.keys() & {f"{task}_{len(names) - 1}" for task in tasks}:
            raise _cannot_be_cleared(
                f"The profiles file has {len(names)} profiles for its date now, which are more than it began with"
            )
        return names

    def _push(self, names: list[str], context: Context) -> None:
        """Do what Airflow does with a returned list: where tasks are skipped nothing is returned."""
        # Not above: it is there in a task's process only.
        from airflow.sdk.execution_time.xcom import XCom

        instance = context["ti"]
        XCom.set(
            key=XCom.XCOM_RETURN_KEY,
            value=names,
            dag_id=instance.dag_id,
            task_id=instance.task_id,
            run_id=instance.run_id,
            _mapped_length=len(names),
        )


def _concerned(profiles: Sequence[Profile], context: Context) -> Sequence[Profile]:
    """Return the profiles that a run's date concerns.

    Refused is a day that nobody can judge yet, and one before them all. A scheduled run has neither: it waits for the
    day's end (:class:`SettleOperator`), and is made for the day that is over.
    """
    date = business_date(context)
    if context["dag_run"].run_type == SCHEDULED:
        return profiles
    first = min(profiles, key=lambda profile: profile.day_end(date))
    if timezone.utcnow() < first.day_end(date):
        raise AirflowFailException(f"{date} is not over before {first.clock(first.day_end(date))}; run it then")
    # Another would have a red verdict of a day that it does not look at.
    begun = _begun(profiles, date)
    if not begun:
        start = min(profile.start_date for profile in profiles)
        raise AirflowFailException(
            f"{date} is before start_date, which is {start} ({profiles_file()}): invoices sent before it are out of "
            "scope. Run a later date, or set start_date to an earlier one first"
        )
    return begun


def _begun(profiles: Sequence[Profile], date: datetime.date) -> Sequence[Profile]:
    return [profile for profile in profiles if profile.start_date <= date]


def _cannot_be_cleared(why: str) -> AirflowFailException:
    return AirflowFailException(
        f"This run cannot be cleared. {why}. Run the date anew: Single run with the param date, or Backfill with "
        "All runs"
    )
