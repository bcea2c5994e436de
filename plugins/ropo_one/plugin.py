"""Registers timetable and deadline with Airflow, which loads this one file of the package out of the plugins folder."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from ropo_one.deadline import BusinessDateDeadline
from ropo_one.timetable import BusinessDateTimetable, MonthEndTimetable


class RopoOnePlugin(AirflowPlugin):
    """The provider's plugin."""

    name = "ropo_one"
    timetables = [BusinessDateTimetable, MonthEndTimetable]  # noqa: RUF012 - Airflow's own declaration
    deadline_references = [BusinessDateDeadline]  # noqa: RUF012 - as above
