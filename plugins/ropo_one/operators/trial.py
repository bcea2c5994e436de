"""The trial of a profile's alerts: the only way to see that one would arrive before one has to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ropo_one.operators.profile import ProfileOperator
from ropo_one.telling import tell_trial

if TYPE_CHECKING:
    from airflow.sdk import Context


class TrialAlertOperator(ProfileOperator):
    """Send an alert that says that it is a trial, from where tasks run, by the notifier of the profile's ``alerts``.

    It asks neither the store nor Ropo One. Nothing is written down of it: each run sends one.
    """

    def execute(self, context: Context) -> None:
        """Send it, and say in the log to whom it went.

        :raises AlertsMisconfiguredError: naming file, profile and key, if ``alerts`` name nobody, or a notifier that
            cannot be made.
        """
        instance = context["ti"]
        tell_trial(self.settings, dict(context), self.log.info, dag_id=instance.dag_id, run_id=instance.run_id)
        alerts = self.settings.alerts
        to = alerts.notifier or f"the mail server, for {', '.join(alerts.to)}"
        self.log.info("Profile %s: handed to %s. Whether it arrived is seen there alone", self.profile, to)
