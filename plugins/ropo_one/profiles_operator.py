"""The first task of a run that is mapped over profiles: which ones they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped

from include.config.profiles import load_profiles
from ropo_one.business_date import SCHEDULED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from airflow.sdk.definitions.taskgroup import MappedTaskGroup


class ProfilesOperator(BaseOperator):
    """Name the profiles of the file, for a task group that is mapped over them.

    So they belong to the run: a task of it that is cleared keeps its profile, whatever has become of the file since. A
    list in the DAG file would be read anew, and give the task the profile that stands at its place by then.

    :param scheduled_only: ids of the group's tasks that only scheduled runs need. In others they are skipped from here,
        for all profiles: a start of a task is most of what a date of a backfill costs.
    """

    def __init__(self, *, scheduled_only: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scheduled_only = scheduled_only

    def execute(self, context: Context) -> list[str]:
        """Return their names, in the file's order.

        :raises ConfigurationError: naming file, profile and key.
        :raises AirflowFailException: where the run was cleared, and the file has more profiles than it began with, or
            an earlier version made it.
        :raises DownstreamTasksSkipped: in a run that is not scheduled; Airflow then takes this task for a success.
        """
        names = [profile.name for profile in load_profiles()]
        self._refuse_cleared(names, context)
        if self.scheduled_only and context["dag_run"].run_type != SCHEDULED:
            self._push(names, context)
            # Until it is mapped a task has the index -1; the others are those of a run that was cleared.
            indexes = range(-1, len(names))
            tasks = [(task_id, index) for task_id in self.scheduled_only for index in indexes]
            # Airflow declares no types here.
            raise DownstreamTasksSkipped(tasks=tasks)  # type: ignore[no-untyped-call]
        return names

    def _refuse_cleared(self, names: list[str], context: Context) -> None:
        """Fail where a cleared run would not do what it says.

        A task that Airflow adds to a run it starts with the first of its kind, whatever has become of those before it.
        And of a run that an earlier version made, whose first task was not this one, it removes all tasks.
        """
        instance = context["ti"]
        tasks = [*cast("MappedTaskGroup", next(self.iter_mapped_dependants())).children]

        def mapped(index: int) -> bool:
            count = instance.get_ti_count(instance.dag_id, index, task_ids=tasks, run_ids=[instance.run_id])
            return count > 0

        if not mapped(0):
            return
        if instance.try_number == 1:
            why = "It was made by an earlier version of this DAG"
        elif not mapped(len(names) - 1):
            why = f"The profiles file has {len(names)} profiles now, which are more than this run began with"
        else:
            return
        raise AirflowFailException(
            f"This run cannot be cleared. {why}. Run the date anew: Single run with the param date, or Backfill with "
            "All runs"
        )

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
