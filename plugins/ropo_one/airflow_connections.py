"""Airflow connections, looked up and read so that what is wrong with one is said, and nothing is passed over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from include.status_store.airflow_connection import ConnectionInvalidError, from_json, is_json, read_extra

if TYPE_CHECKING:
    from airflow.sdk import Connection


def look_up(conn_id: str, conn_type: str, error: type[ValueError]) -> Connection:
    """Return a connection, whatever its type.

    :param conn_type: the type that it should have, for the error.
    :param error: raised where there is none; it says how to add it, or that its variable is there and cannot be read,
        which Airflow passes over without a word. Nothing of the variable's value is repeated.
    """
    try:
        connection: Connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise error(_not_found(conn_id, conn_type)) from None
    return connection


def extra_of(connection: Connection, error: type[ValueError]) -> dict[str, Any]:
    """Return the settings in a connection's extra, none where it is empty.

    Airflow's own reading takes an extra that is no JSON for none: a TLS setting in it would be off without a word.

    :param error: raised where it is no JSON object, naming the connection. Nothing of the extra is repeated, which may
        hold a secret.
    """
    try:
        read_extra(connection.extra)
    except ValueError:
        raise error(f"Connection {connection.conn_id}: Extra (extra): expected a JSON object") from None
    # Airflow's own reading besides: it masks what is secret in it.
    extra: dict[str, Any] = connection.extra_dejson
    return extra


def _not_found(conn_id: str, conn_type: str) -> str:
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    value = os.environ.get(variable)
    if value:
        return f"Connection {conn_id}: {_unreadable(value, variable)}"
    return (
        f"Connection {conn_id} does not exist: add it in the UI (Admin, Connections) or as {variable}, type {conn_type}"
        ". Where it is there, the API server or the secrets backend did not answer, which only Airflow's log tells"
    )


def _unreadable(value: str, variable: str) -> str:
    if is_json(value):
        try:
            from_json(value, variable)
        except ConnectionInvalidError as error:
            return str(error)
        return f"{variable} is set, but Airflow cannot read it: compare its JSON with the one in README.md"
    return (
        f"{variable} is set, but cannot be read: write it as JSON, or percent-encode what special characters its URI "
        "has (a / in a password is %2F)"
    )
