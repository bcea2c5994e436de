"""The status store: every page that Ropo One hands over, kept raw and parsed into events, once. No Airflow import."""
