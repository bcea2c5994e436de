"""Who is told of alerts, how, and how often: the key ``alerts`` of a profile."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Address = Annotated[str, msgspec.Meta(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+\Z")]


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A profile's alerts. Without ``to`` and ``notifier`` they stand in the log of their task alone.

    :param to: mail addresses, for Airflow's ``SmtpNotifier``.
    :param notifier: dotted path of another Airflow notifier, in the place of mail.
    :param arguments: of the notifier. Its template fields may use ``{{ alert.subject }}``, ``{{ alert.text }}`` and
        ``{{ alert.html }}``. Secrets belong into the connection that it names.
    :param remind_hours: after which an alert that still holds is told again; 0: never.
    :param deadline_hour: of the market's next morning, by which a business date has its verdict.
    """

    to: tuple[Address, ...] = ()
    notifier: str = ""
    arguments: dict[str, Any] = {}
    remind_hours: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 24
    deadline_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 7
