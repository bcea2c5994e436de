"""What every operator of this package has: a profile, and a session of the store."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseOperator

from include.config.profiles import load_profile
from include.status_store.journal import Journal
from ropo_one.params import refuse_unknown_params
from ropo_one.store import open_store

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from ropo_one.hooks import RopoOneHook


class ProfileOperator(BaseOperator):
    """An operator that works on one profile.

    :param profile: the profile's name in the profiles file (templated). It is the map index's name in the UI.
    """

    template_fields: Sequence[str] = ("profile",)
    # What the link to the page is made of, set while the task runs: the date, and what was recorded of it.
    worked_on: datetime.date | None = None
    recorded_as: int | None = None

    def __init__(self, *, profile: str, **kwargs: Any) -> None:
        kwargs.setdefault("map_index_template", "{{ task.profile }}")
        super().__init__(**kwargs)
        self.profile = profile

    def pre_execute(self, context: Context) -> None:
        """Refuse what the run was given and nothing reads: a profile, say, where the run is of all of them."""
        refuse_unknown_params(self.dag, context)

    @cached_property
    def settings(self) -> Profile:
        """The profile's settings; :class:`ConfigurationError` names file, profile and key."""
        return load_profile(self.profile)

    @cached_property
    def hook(self) -> RopoOneHook:
        """The profile's hook: one keep-alive session for the whole run."""
        # Not above: the HTTP provider takes longer to import than all DAG files, which never speak HTTP, to parse.
        from ropo_one.hooks import RopoOneHook

        return RopoOneHook(self.settings.connection)

    def session(self) -> Session:
        """Open a session of the store, at the migration that this code needs.

        No statement outlasts the task's own time limit, which alone does not break into a wait for PostgreSQL.

        :raises StoreUnavailableError: naming the connection, and the command that mends it.
        """
        return open_store(longest=self.execution_timeout)

    def journal(self, context: Context) -> Journal:
        """Return the profile's journal on behalf of this run."""
        instance = context["ti"]
        return Journal(self.settings, dag_id=instance.dag_id, run_id=instance.run_id)


def as_dict(summary: msgspec.Struct) -> dict[str, Any]:
    """Return a summary as a task may return it."""
    result: dict[str, Any] = msgspec.to_builtins(summary)
    return result
