"""Airflow on this machine without Docker: its environment, its command line, an embedded PostgreSQL, its processes."""
