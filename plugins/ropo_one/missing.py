"""What to say of an Airflow connection that is not found."""

from __future__ import annotations

import os


def not_found(conn_id: str, conn_type: str) -> str:
    """Return what is wrong and what to do: a variable that Airflow cannot read is passed over by it without a word.

    :param conn_type: the type that the connection should have.
    :return: one sentence, in which nothing of the variable's value stands.
    """
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    if os.environ.get(variable):
        return (
            f"Connection {conn_id}: {variable} is set, but cannot be read: write it as JSON, or percent-encode what "
            "special characters its URI has (a / in a password is %2F)"
        )
    return (
        f"Connection {conn_id} is not there: add it in the UI (Admin, Connections) or as {variable}, type {conn_type}"
    )
