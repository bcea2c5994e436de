"""What the commands of the store have in common: their session, their errors, and who runs them."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg2

from include.config.business_dates import parse_date
from include.config.errors import ConfigurationError
from include.config.profiles import load_profile, load_profiles
from include.status_store.database import StoreUnavailableError, connect, first_line, store_dsn_from_environment
from include.status_store.migrate import require_current
from include.status_store.session import Session

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Iterator

    from include.config.profiles import Profile


def run_command(options: argparse.Namespace, *refusals: type[Exception]) -> int:
    """Run ``options.command`` with a session of the store that ``AIRFLOW_CONN_ROPO_STORE`` names.

    :param options: with the attribute ``command``, called with the session and the options.
    :param refusals: errors of the command's own, whose text says all, beside ValueError: what it was told wrongly.
    :return: the exit code; an error stands on standard error then, in one line.
    """
    command: Callable[[Session, argparse.Namespace], None] = options.command
    in_one_line: tuple[type[Exception], ...] = (ConfigurationError, StoreUnavailableError, ValueError, *refusals)
    try:
        dsn = store_dsn_from_environment()
        with ended_by_interrupts(), Session(lambda: connect(dsn)) as session:
            require_current(session.connection)
            command(session, options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads it has read enough (`head`). Python would flush the rest when it ends, and tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except in_one_line as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except psycopg2.Error as error:  # a missing right, say
        sys.stderr.write(f"PostgreSQL refuses it: {first_line(error)}\n")
        return 1
    return 0


@contextmanager
def ended_by_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the process at once, as SIGTERM does.

    Python hears of it only when libpq has done waiting for PostgreSQL, which may be minutes. What was under way is a
    transaction, which ends with its session.
    """
    if threading.current_thread() is not threading.main_thread():  # such a one is not asked
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Add ``--profile``, by which :func:`profiles` goes."""
    parser.add_argument("--profile", help="one profile; by default every one")


def profiles(options: argparse.Namespace) -> tuple[Profile, ...]:
    """Return the profiles that a command is for: the one of ``--profile``, else every one.

    :raises ConfigurationError: if there is none of that name, or the profiles file is at fault.
    """
    return (load_profile(options.profile),) if options.profile else load_profiles()


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a ``type`` of an argument: a whole number from ``least`` to ``most``."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, got {text!r}")

    return parse


def calendar_date(text: str) -> datetime.date:
    """Parse a date that is an argument."""
    try:
        return parse_date(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_note(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add ``--note`` and ``--by``: why, and who."""
    parser.add_argument("--note", required=required, help="why; kept with it")
    parser.add_argument("--by", help="who; by default the system's user")


def who(options: argparse.Namespace) -> str:
    """Return who runs a command: ``--by``, else the system's user.

    :raises ValueError: if neither has a name.
    """
    try:
        return str(options.by or getpass.getuser())
    except (KeyError, OSError):  # a container whose user has no name
        raise ValueError("--by: expected a name; the system's user has none") from None


def say(text: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{text}\n")


def say_each(profile: Profile, lines: Iterable[str]) -> None:
    """Write what a profile has, a line each, or that it has none."""
    is_empty = True
    for line in lines:
        say(f"{profile.name}: {line}")
        is_empty = False
    if is_empty:
        say(f"{profile.name}: none")
