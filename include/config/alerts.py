"""Who is told of alerts, how, and how often: the key ``alerts`` of a profile."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import msgspec

MAIL = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"

Address = Annotated[str, msgspec.Meta(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+\Z")]


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A profile's alerts. Without ``to`` and ``notifier`` they stand in the log of their task alone.

    :param to: mail addresses, for Airflow's ``SmtpNotifier``.
    :param notifier: dotted path of another Airflow notifier, in the place of mail.
    :param arguments: of the notifier. Its template fields may use ``{{ alert.subject }}``, ``{{ alert.text }}`` and
        ``{{ alert.html }}``. Secrets belong into the connection that it names.
    :param remind_hours: after which an alert that still holds is told again; 0: never.
    :param deadline_hour: of the market's next morning, by which a business date has its verdict; at the earliest of
        Helsinki's, whose midnight begins the run, and an hour after ``settle_hours`` are over.
    """

    to: tuple[Address, ...] = ()
    notifier: str = ""
    arguments: dict[str, Any] = {}
    remind_hours: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 24
    deadline_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 7

    @property
    def anybody(self) -> bool:
        """Whether somebody is told."""
        return bool(self.notifier or self.to)

    @property
    def notifier_path(self) -> str:
        """The dotted path of the notifier, mail's where none is named."""
        return self.notifier or MAIL

    @property
    def all_arguments(self) -> dict[str, Any]:
        """The notifier's arguments; mail's have a message and the addresses."""
        if self.notifier:
            return dict(self.arguments)
        message = {"subject": "{{ alert.subject }}", "html_content": "{{ alert.html }}"}
        return {**message, **self.arguments, "to": list(self.to)}

    def notifier_class(self) -> type:
        """Import the notifier's class.

        :raises ValueError: if there is none at its path.
        """
        module, _, name = self.notifier_path.rpartition(".")
        if not module:
            raise ValueError("expected a dotted path")
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise ValueError(str(error)) from error
        # By its looks: nothing here imports Airflow.
        if not (isinstance(found, type) and hasattr(found, "notify")):
            raise ValueError("is no Airflow notifier")
        return found
