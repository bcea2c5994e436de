"""The one alert that needs no store: that it cannot be used. Nothing can be written down then of what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.watch.alert import Alert, Matter, compose

if TYPE_CHECKING:
    from include.config.profiles import Profile
    from include.status_store.database import StoreUnavailableError


def store_away(profile: Profile, error: StoreUnavailableError, *, again: str, base_url: str) -> Alert:
    """Return the message.

    :param error: says what is wrong, with no secret in it.
    :param again: how often it is told while the store cannot be used.
    :param base_url: of Airflow's UI.
    """
    lines = (
        str(error),
        "Until it can be used, nothing is drained or compared, and nothing else can be told. Ropo One keeps the "
        f"changes in its queue meanwhile. This is told {again}",
        "What to do: start the store again, give its disk room or mend its connection; where the line above names a "
        "command, run it. The drains then go on by themselves. Which nightly tasks failed meanwhile may not be told: "
        "see ropo_reconciliation, ropo_full_comparison and ropo_maintenance in Airflow",
    )
    matter = Matter(title="the store cannot be used", lines=lines)
    return compose(profile.name, "store_away", "stores cannot be used", [matter], base_url)
