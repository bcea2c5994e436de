"""The one alert that tells of nothing: it shows whether alerts arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.watch.alert import Alert, Matter, compose

if TYPE_CHECKING:
    from include.config.profiles import Profile


def trial(profile: Profile, *, dag_id: str, run_id: str, base_url: str) -> Alert:
    """Return the message.

    :param dag_id: and ``run_id``: the Airflow run that sends it.
    :param base_url: of Airflow's UI.
    """
    lines = (
        "Nothing has happened, and nothing is to be done: somebody wanted to see whether alerts arrive",
        "Whoever reads this is told of alerts. The links below lead to Airflow; where they do not, set "
        "AIRFLOW__API__BASE_URL to the address under which you open it",
    )
    matter = Matter(title="this is a trial of the alerts", lines=lines, dag_id=dag_id, run_id=run_id)
    return compose(profile.name, "trial", "trials", [matter], base_url)
