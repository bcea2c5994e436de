"""A run takes the params that its DAG has and no other: who gives one means something by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import DAG, Context


def refuse_unknown_params(dag: DAG, context: Context) -> None:
    """Fail where the run was given a param that the DAG does not have.

    :raises AirflowFailException: naming it, and those that there are.
    """
    known = set(dag.params)
    if strange := sorted(set(context["params"]) - known):
        whose = "" if "profile" in known else ". It is of every profile of the file"
        raise AirflowFailException(
            f"This run was given {', '.join(map(repr, strange))}, which nothing reads: expected no param but "
            f"{', '.join(map(repr, sorted(known))) or 'none'}{whose}"
        )
