"""The embedded environment: PostgreSQL, Airflow and a stand-in of Ropo One on this machine, and what runs on it."""
