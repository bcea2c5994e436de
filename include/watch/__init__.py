"""What people are told of the queue and of the dates, and what is measured of them. No Airflow import."""
