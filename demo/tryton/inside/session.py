"""The session with Tryton: its client library in one process with its server, as Tryton's own scenarios use it."""

from __future__ import annotations

import datetime
import os
from decimal import Decimal
from typing import Any

from proteus import Model, Wizard, config  # type: ignore[import-not-found]

__all__ = ["Wizard", "amount", "connect", "day", "model", "only", "refresh", "shipped"]


def connect() -> None:
    """Begin the session, in the database that ``TRYTOND_DATABASE_URI`` names."""
    session = config.set_trytond(os.environ["TRYTOND_DATABASE_URI"])
    # A user would read each warning (a due day long past) and go on.
    session.skip_warning = True


def model(name: str) -> Any:
    """
    A model of Tryton's.

    :param name: such as ``account.invoice``.
    """
    return Model.get(name)


def only(name: str, *condition: tuple[str, str, Any]) -> Any:
    """
    The one record that fits.

    :param name: the model's.
    :param condition: Tryton's search clauses.
    :raises LookupError: if there is none, or more than one.
    """
    found = model(name).find(list(condition))
    if len(found) != 1:
        raise LookupError(f"{len(found)} records of {name} fit {condition}, expected one")
    return found[0]


def shipped(name: str) -> int:
    """
    The id of a record that a module of Tryton ships.

    :param name: module and name, with a dot between.
    """
    return int(Model.get("ir.model.data").get_id(name, config.get_config().context))


def refresh() -> None:
    """Read the user's preferences anew: the company that works here is one of them."""
    config.get_config()._context = Model.get("res.user").get_preferences(True, {})


def amount(text: str) -> Decimal:
    """
    An amount of a request.

    :param text: with a decimal point.
    """
    return Decimal(text)


def day(text: str) -> datetime.date:
    """
    A day of a request.

    :param text: YYYY-MM-DD.
    """
    return datetime.date.fromisoformat(text)
