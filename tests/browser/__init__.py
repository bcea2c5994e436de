"""What people do with the mouse and the keyboard, in a real Chromium, against a real Airflow."""
