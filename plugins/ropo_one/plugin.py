"""Registers the timetable with Airflow. The provider info names this plugin, so that no file in a folder has to."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from ropo_one.timetable import BusinessDateTimetable


class RopoOnePlugin(AirflowPlugin):
    """The provider's plugin."""

    name = "ropo_one"
    timetables = [BusinessDateTimetable]  # noqa: RUF012 - Airflow's own declaration
