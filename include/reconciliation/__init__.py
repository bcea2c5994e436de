"""The comparison: every invoice of a business date, as Ropo One and the ERP's ledger see it. No Airflow import."""
