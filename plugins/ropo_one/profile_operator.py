"""What every operator of this package has: a profile, and a session of the store."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowNotFoundException

from include.config.profiles import load_profile
from include.status_store.database import StoreUnavailableError, connect, make_dsn
from include.status_store.journal import Journal
from include.status_store.migrate import require_current
from include.status_store.session import Session
from ropo_one.hooks import RopoOneHook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.config.profiles import Profile

STORE_CONNECTION = "ropo_store"


def connection_dsn(conn_id: str) -> str:
    """Return the libpq string of an Airflow connection of type postgres.

    :raises StoreUnavailableError: where there is none of that id, or it has another type.
    """
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        variable = f"AIRFLOW_CONN_{conn_id.upper()}"
        raise StoreUnavailableError(
            f"Connection {conn_id} is not there: add it in the UI (Admin, Connections) or as {variable}, type postgres"
        ) from None
    if connection.conn_type not in ("postgres", "postgresql"):
        raise StoreUnavailableError(
            f"Connection {conn_id}: expected the type postgres, got {connection.conn_type!r}; a URI needs the form "
            "postgres://user:password@host:port/database"
        )
    return make_dsn(
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        schema=connection.schema,
        extra=connection.extra_dejson,
    )


class ProfileOperator(BaseOperator):
    """An operator that works on one profile.

    :param profile: the profile's name in the profiles file (templated). It is the map index's name in the UI.
    """

    template_fields: Sequence[str] = ("profile",)

    def __init__(self, *, profile: str, **kwargs: Any) -> None:
        kwargs.setdefault("map_index_template", "{{ task.profile }}")
        super().__init__(**kwargs)
        self.profile = profile

    @cached_property
    def settings(self) -> Profile:
        """The profile's settings; :class:`ConfigurationError` names file, profile and key."""
        return load_profile(self.profile)

    @cached_property
    def hook(self) -> RopoOneHook:
        """The profile's hook: one keep-alive session for the whole run."""
        return RopoOneHook(self.settings.connection)

    def session(self) -> Session:
        """Open a session of the store, at the migration that this code needs.

        :raises StoreUnavailableError: naming the connection, and the command that mends it.
        """
        dsn = connection_dsn(STORE_CONNECTION)
        session = Session(lambda: connect(dsn))
        try:
            require_current(session.connection)
        except BaseException:
            session.close()
            raise
        return session

    def journal(self, context: Context) -> Journal:
        """Return the profile's journal on behalf of this run."""
        instance = context["ti"]
        return Journal(self.settings, dag_id=instance.dag_id, run_id=instance.run_id)
