"""The extra of an Airflow connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.status_store.airflow_connection import read_extra

if TYPE_CHECKING:
    from airflow.sdk import Connection


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
