"""What each page has: its user, its profile, and how it is rendered."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Depends, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse

from include.config.profiles import Profile, load_profiles
from reconciliation_page.access import User, may_change
from reconciliation_page.rendering import address, airflow_path, base_path, environment


@dataclass(frozen=True)
class Page:
    """One request of one user about one profile.

    :param may_change: whether the user may accept, open again, comment and sign.
    """

    request: Request
    user: BaseUser
    may_change: bool
    profile: Profile
    profiles: tuple[Profile, ...]

    @cached_property
    def now(self) -> datetime.datetime:
        """The moment of the request."""
        return datetime.datetime.now(datetime.UTC)

    @property
    def today(self) -> datetime.date:
        """The market's day."""
        return self.profile.business_date(self.now)

    def link(self, path: str = "", /, **parameters: Any) -> str:
        """Return the address of a page about the same profile, or about the one that ``profile`` names."""
        return address(base_path(self.request), path, {"profile": self.profile.name, **parameters})

    def airflow_run(self, dag_id: str | None, run_id: str | None) -> str | None:
        """Return the address of a run in Airflow's UI; None where no run is known."""
        if not (dag_id and run_id):
            return None
        return address(airflow_path(self.request), f"dags/{dag_id}/runs/{run_id}", {})

    def airflow_dag(self, dag_id: str) -> str:
        """Return the address of a DAG in Airflow's UI."""
        return address(airflow_path(self.request), f"dags/{dag_id}", {})

    def render(self, template: str, /, status_code: int = 200, **values: Any) -> HTMLResponse:
        """Render a template; it has ``page`` and ``link`` beside its values."""
        body = environment().get_template(template).render(
            page=self, link=self.link, base=base_path(self.request), zone=self.profile.zone, **values
        )  # fmt: skip
        return HTMLResponse(body, status_code=status_code)

    def go_to(self, path: str, /, **parameters: Any) -> RedirectResponse:
        """Return the answer after a change: the browser goes to a page, and reloading that changes nothing again."""
        return RedirectResponse(self.link(path, **parameters), status_code=status.HTTP_303_SEE_OTHER)


def _page(
    request: Request,
    user: User,
    is_editor: Annotated[bool, Depends(may_change)],
    profile: Annotated[str | None, Query(description="the profile's name")] = None,
) -> Page:
    profiles = load_profiles()
    found = next((each for each in profiles if profile in (None, "", each.name)), None)
    if found is None:
        known = ", ".join(each.name for each in profiles)
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no profile of that name. The profiles are: {known}.")
    return Page(request=request, user=user, may_change=is_editor, profile=found, profiles=profiles)


PageOf = Annotated[Page, Depends(_page)]
