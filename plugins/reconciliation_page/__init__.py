"""The page "Reconciliation" in the Airflow UI: server-rendered, for people with a right to the DAG it shows."""

# Its path on the API server.
PREFIX = "/reconciliation"
