"""Who may do what: Airflow mounts the app without any authentication of its own.

Reading needs the right to see the DAG that the page shows, changing the right to edit it; Airflow's own auth manager
decides both. A change must also come from this very site: a browser sends the session cookie with any site's form.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import get_user
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request, status

DAG_ID = "ropo_reconciliation"

User = Annotated[BaseUser, Depends(get_user)]


def may_read(user: User) -> bool:
    """Tell whether the user may see the DAG."""
    return get_auth_manager().is_authorized_dag(method="GET", details=dag_details(DAG_ID), user=user)


def may_change(user: User) -> bool:
    """Tell whether the user may edit the DAG."""
    return get_auth_manager().is_authorized_dag(method="PUT", details=dag_details(DAG_ID), user=user)


def require_reader(is_allowed: Annotated[bool, Depends(may_read)]) -> None:
    """Let in who may see the DAG.

    :raises HTTPException: 401 or 403, from Airflow's ``get_user`` too.
    """
    if not is_allowed:
        raise HTTPException(status.HTTP_403_FORBIDDEN)


def require_editor(is_allowed: Annotated[bool, Depends(may_change)]) -> None:
    """Let in who may edit the DAG.

    :raises HTTPException: 403.
    """
    if not is_allowed:
        raise HTTPException(status.HTTP_403_FORBIDDEN)


def require_same_origin(request: Request) -> None:
    """Refuse a change that a page of another site may have sent.

    :raises HTTPException: 403.
    """
    if not is_same_origin(request):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            "This change did not come from the page itself, so it was refused. Open the page and do it there; behind "
            "a proxy, let it pass the headers Host, Origin and Sec-Fetch-Site unchanged.",
        )


def is_same_origin(request: Request) -> bool:
    """Tell whether a change was sent by a page of this very site.

    Browsers name the sender in Sec-Fetch-Site (over https and on localhost) and in Origin; where they name none, it is
    taken for another's.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    return site == "same-origin" if site else bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def dag_details(dag_id: str) -> DagDetails:
    """Return a DAG as Airflow's auth manager is asked about it."""
    return DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))


# For the whole app, so that no page can be without it.
FOR_READERS = (Depends(require_reader),)
# On every route that changes something, beside the former.
FOR_EDITORS = (Depends(require_same_origin), Depends(require_editor))
