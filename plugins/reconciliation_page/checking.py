"""Asking both sides about one invoice: a run of the DAG ``ropo_invoice_check``, as the user, by Airflow's own right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

from airflow.api.common.trigger_dag import trigger_dag
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.exceptions import DagNotFound
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType
from fastapi import Depends, HTTPException, status
from sqlalchemy import select

from reconciliation_page.access import User, dag_details, require_same_origin

CHECK_DAG_ID = "ropo_invoice_check"


@dataclass(frozen=True)
class Check:
    """A run of the DAG.

    :param state: Airflow's word for it: ``queued``, ``running``, ``success`` or ``failed``.
    :param is_paused: whether the DAG is paused, so that a queued run waits.
    """

    state: str
    is_paused: bool


def may_check(user: User) -> bool:
    """Tell whether the user may trigger the DAG."""
    return get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=dag_details(CHECK_DAG_ID), user=user
    )


def require_checker(is_allowed: Annotated[bool, Depends(may_check)]) -> None:
    """Let in who may trigger the DAG.

    :raises HTTPException: 403.
    """
    if not is_allowed:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            f"Asking again runs the DAG {CHECK_DAG_ID}, which needs the right to trigger it. Ask whoever manages "
            "Airflow's users.",
        )


FOR_CHECKERS = (Depends(require_same_origin), Depends(require_checker))


def start_check(user: User, profile: str, billnum: str) -> str:
    """Trigger the DAG for an invoice number, and write it into Airflow's audit log as its own API would.

    :return: the run's id.
    :raises HTTPException: 409, if the DAG does not exist or does not take the number.
    """
    conf = {"profile": profile, "billnum": billnum}
    try:
        run = trigger_dag(
            CHECK_DAG_ID,
            triggered_by=DagRunTriggeredByType.UI,
            triggering_user_name=user.get_name(),
            conf=conf,
        )
    except DagNotFound:
        raise HTTPException(
            status.HTTP_409_CONFLICT,
            f"Airflow does not know the DAG {CHECK_DAG_ID} (yet). Look at the DAGs list for an import error.",
        ) from None
    except ValueError:
        raise HTTPException(
            status.HTTP_409_CONFLICT, f"The DAG {CHECK_DAG_ID} does not take this invoice number or manual runs."
        ) from None
    if run is None:
        raise HTTPException(status.HTTP_409_CONFLICT, f"Airflow made no run of {CHECK_DAG_ID}. Try it in Airflow.")
    with create_session() as session:
        extra = json.dumps({"conf": conf, "from": "reconciliation page"})
        session.add(
            Log(
                event="trigger_dag_run",
                dag_id=CHECK_DAG_ID,
                run_id=run.run_id,
                owner=user.get_name(),
                owner_display_name=user.get_name(),
                extra=extra,
            )
        )
    return str(run.run_id)


def find_check(run_id: str, profile: str, billnum: str) -> Check | None:
    """Return how a run of the DAG stands; None where there is none of that id that was made for this invoice."""
    with create_session() as session:
        run = session.scalar(select(DagRun).where(DagRun.dag_id == CHECK_DAG_ID, DagRun.run_id == run_id))
        if run is None or {"profile": profile, "billnum": billnum} != run.conf:
            return None
        dag = session.get(DagModel, CHECK_DAG_ID)
        return Check(state=str(run.state), is_paused=bool(dag and dag.is_paused))
