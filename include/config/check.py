"""Checks the configuration before any DAG reads it: ``python -m include.config.check [FILE]``.

A profiles file that does not load stops all DAGs of all profiles. This reads it as they do, and looks at what only a
run would meet: each profile's status map, its country's public holidays, the file of its SELECT, and the notifier of
its alerts. Nothing is connected to and nobody is told. Exit code 1 on a mistake, on standard error: of a profiles file
that does not load the first one, else every one.
"""

from __future__ import annotations

import argparse
import datetime
import inspect
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from include.config.errors import ConfigurationError
from include.config.profiles import FILE_VARIABLE, load_profiles, profiles_file
from include.config.query_file import read_query
from include.config.status_map import load_status_map

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from include.config.profiles import Profile


def _status_map(profile: Profile) -> str:
    found = load_status_map(profile.status_map)
    codes = sum(map(len, found.events.values()))
    return (
        f"{profile.status_map}, version {found.version}: {len(found.payments)} kinds of payments, {codes} codes, "
        f"{len(found.ledger)} of the ledger's words"
    )


def _public_holidays(profile: Profile) -> str:
    import holidays  # it takes its time

    try:
        holidays.country_holidays(profile.country)
    except NotImplementedError:  # what the package raises of a country that it does not know
        raise ValueError(f"the package holidays knows no public holidays of {profile.country!r}") from None
    return f"of {profile.country}"


def _ledger(profile: Profile) -> str:
    try:
        read_query(profile.ledger.query)
    except ValueError as error:
        raise ValueError(f"{profile.ledger.query}: {error}") from None
    return f"connection {profile.ledger.connection}, SELECT {profile.ledger.query}"


def _alerts(profile: Profile) -> str:
    alerts = profile.alerts
    if not alerts.anybody:
        return "nobody is told: they stand in the log of their task alone"
    try:
        inspect.signature(alerts.notifier_class()).bind(**alerts.all_arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{alerts.notifier_path}: {error}") from error
    if alerts.notifier:
        return f"by {alerts.notifier}{', which takes the place of mail: `to` is not used' if alerts.to else ''}"
    return f"by mail to {', '.join(alerts.to)}"


# What is looked at, by what it is called, with the key that a mistake is in.
_CHECKS: tuple[tuple[str, str, Callable[[Profile], str]], ...] = (
    ("status map", "status_map", _status_map),
    ("holidays", "country", _public_holidays),
    ("ledger", "ledger", _ledger),
    ("alerts", "alerts", _alerts),
)


def check(path: Path, profile: Profile) -> list[str]:
    """Say what a profile has, and return its mistakes, one line each."""
    ahead = profile.begins_ahead(datetime.datetime.now(datetime.UTC))
    sys.stdout.write(
        f"Profile {profile.name}: connection {profile.connection}, {profile.country}, {profile.timezone}, "
        f"{profile.currency}, from {profile.start_date}"
        f"{', which lies ahead: no invoice sent before it is compared' if ahead else ''}\n"
    )
    mistakes = []
    for name, key, look in _CHECKS:
        try:
            sys.stdout.write(f"  {name:<12} {look(profile)}\n")
        except ConfigurationError as error:
            mistakes.append(str(error))
        except ValueError as error:
            mistakes.append(str(ConfigurationError(path, f"profile '{profile.name}', key '{key}'", str(error))))
    return mistakes


def shared_connections(path: Path, profiles: Sequence[Profile]) -> list[str]:
    """Return a mistake for each connection of several profiles: it is one customer number, and so one queue."""
    named = defaultdict(list)
    for profile in profiles:
        named[profile.connection].append(profile.name)
    return [
        str(
            ConfigurationError(
                path,
                f"profile '{names[-1]}', key 'connection'",
                f"{connection} is that of {', '.join(names[:-1])} too; a connection is one customer number, and its "
                "queue belongs to one profile",
            )
        )
        for connection, names in named.items()
        if len(names) > 1
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a profiles file and what it names."""
    parser = argparse.ArgumentParser(prog="python -m include.config.check", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help=f"by default what {FILE_VARIABLE} names, or the shipped one")
    options = parser.parse_args(arguments)
    path = options.file or profiles_file()
    try:
        profiles = load_profiles(path)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    mistakes = [mistake for profile in profiles for mistake in check(path, profile)]
    mistakes += shared_connections(path, profiles)
    sys.stdout.flush()
    if mistakes:
        sys.stderr.writelines(f"{mistake}\n" for mistake in mistakes)
        return 1
    sys.stdout.write("The configuration can be used.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
