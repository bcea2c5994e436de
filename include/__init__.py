"""What the DAGs and plugins stand on: the status store, the reconciliation, their configuration. No Airflow import."""
