"""Ropo One for Airflow: hook, operators, timetable and connection type."""
