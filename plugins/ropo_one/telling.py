"""How an alert is sent: by the notifier that the profile's ``alerts`` name, and into the log in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier
from airflow.sdk.configuration import conf

from include.config.profiles import profiles_file
from include.watch.away import store_away
from include.watch.topics import tell
from include.watch.trial import trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.config.profiles import Profile
    from include.status_store.database import StoreUnavailableError
    from include.status_store.session import Session
    from include.watch.alert import Alert
    from include.watch.topics import Topic


class AlertsMisconfiguredError(ValueError):
    """The profile's ``alerts`` name a notifier that cannot be made, or nobody where somebody is to be told."""


def tell_topic(session: Session, topic: Topic, context: dict[str, Any], log: Callable[..., None]) -> int:
    """Tell what is new in a topic by the notifier of its profile; the log has it in any case.

    :param context: for the notifier's templates, beside ``alert``.
    :param log: takes a format and its arguments.
    :return: how many matters were told.
    :raises AlertsMisconfiguredError: naming file, profile and key.
    :raises StoreUnavailableError: if the store is away or takes no transaction.
    """
    return tell(session, topic, _sender(topic.profile, context, log), base_url=_base_url())


def tell_store_away(
    profile: Profile, error: StoreUnavailableError, context: dict[str, Any], log: Callable[..., None], *, again: str
) -> None:
    """Tell that the store is away, without its register: each call sends a message.

    :param again: how often it is called, in words.
    :raises AlertsMisconfiguredError: naming file, profile and key.
    """
    _sender(profile, context, log)(store_away(profile, error, again=again, base_url=_base_url()))


def tell_trial(
    profile: Profile, context: dict[str, Any], log: Callable[..., None], *, dag_id: str, run_id: str
) -> None:
    """Tell that this is a trial, without the store's register: each call sends a message.

    :param dag_id: and ``run_id``: the run that sends it.
    :raises AlertsMisconfiguredError: naming file, profile and key; where ``alerts`` name nobody, too.
    """
    if not profile.alerts.anybody:
        raise AlertsMisconfiguredError(
            f"{profiles_file()}: profile '{profile.name}', key 'alerts': names nobody to tell; set alerts.to to mail "
            "addresses, or alerts.notifier to the dotted path of an Airflow notifier"
        )
    _sender(profile, context, log)(trial(profile, dag_id=dag_id, run_id=run_id, base_url=_base_url()))


def _sender(profile: Profile, context: dict[str, Any], log: Callable[..., None]) -> Callable[[Alert], None]:
    notifier = make_notifier(profile)

    def send(alert: Alert) -> None:
        # Its subject only: the text names debtors' invoices.
        log("Alert: %s%s", alert.subject, "" if notifier else " (the profile's `alerts` name nobody to tell)")
        if not notifier and len(alert.titles) > 1:
            # Its subject only counts them, and no message names them.
            for title in alert.titles:
                log("Alert: %s: %s", alert.profile, title)
        if notifier:
            notifier({**context, "alert": alert})

    return send


def _base_url() -> str:
    return conf.get("api", "base_url", fallback="") or "http://localhost:8080"


def make_notifier(profile: Profile) -> Callable[[dict[str, Any]], None] | None:
    """Return the profile's notifier, None where it names neither one nor a mail address.

    :raises AlertsMisconfiguredError: if it cannot be made.
    """
    alerts = profile.alerts
    if not alerts.anybody:
        return None
    try:
        notifier_class = alerts.notifier_class()
        if not issubclass(notifier_class, BaseNotifier):
            raise TypeError("is no Airflow notifier")
        notifier: Callable[[dict[str, Any]], None] = notifier_class(**alerts.all_arguments)
    except (TypeError, ValueError) as error:
        raise AlertsMisconfiguredError(
            f"{profiles_file()}: profile '{profile.name}', key 'alerts': {alerts.notifier_path}: {error}"
        ) from error
    return notifier
