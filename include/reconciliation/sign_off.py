"""The commands of a month's sign-off: ``python -m include.reconciliation.sign_off --help``.

They need no Airflow: the store is the one that ``AIRFLOW_CONN_ROPO_STORE`` names.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from include.config.profiles import load_profile
from include.reconciliation.sign_off_conditions import parse_period
from include.reconciliation.signing import SignOffError, accept_incompleteness, countersign, period_status, sign
from include.status_store.command_line import add_note, calendar_date, run_command, say, who

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from include.config.profiles import Profile, Scope
    from include.reconciliation.signing import PeriodStatus
    from include.status_store.session import Session


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its result goes to standard output, an error to standard error with exit code 1."""
    return run_command(_parser().parse_args(arguments), SignOffError)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.reconciliation.sign_off", description="The sign-off of a month"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, text in (
        ("status", _status, "show whether a month is signed, what changed since, and what keeps it from being signed"),
        ("sign", _sign, "sign a month off, where every condition holds"),
        ("countersign", _countersign, "countersign a month, as another person than the one who signed it"),
    ):
        one = commands.add_parser(name, help=text, description=text)
        one.add_argument("period", metavar="YYYY-MM")
        one.add_argument("--profile", required=True)
        if name != "status":
            add_note(one, required=False)
        one.set_defaults(command=command)
    text = "accept that a date stays incomplete, as long as its reasons are those of its newest reconciliation"
    accepting = commands.add_parser("accept-incomplete", help=text, description=text)
    accepting.add_argument("date", type=calendar_date, metavar="DATE")
    accepting.add_argument("--profile", required=True)
    accepting.add_argument("--full", action="store_true", help="the full comparison of that date, not its own")
    add_note(accepting)
    accepting.set_defaults(command=_accept_incomplete)
    return parser


def _status(session: Session, options: argparse.Namespace) -> None:
    profile, period = load_profile(options.profile), parse_period(options.period)
    with session.transaction() as cursor:
        status = period_status(cursor, profile, period)
    for line in _lines(profile, status):
        say(line)


def _lines(profile: Profile, status: PeriodStatus) -> Iterator[str]:
    named, signed = f"{profile.name} {status.period:%Y-%m}", status.sign_off
    if signed is None:
        yield f"{named}: not signed"
    else:
        yield f"{named}: signed by {_signature(signed.signed_by, signed.signed_at, signed.note)}"
        if signed.countersigned_by and signed.countersigned_at:
            by = _signature(signed.countersigned_by, signed.countersigned_at, signed.countersigned_note)
            yield f"{named}: countersigned by {by}"
        else:
            yield f"{named}: not countersigned"
    for flag in status.flags:
        about = f", break {flag.break_id}" if flag.break_id else ""
        found_by = f" (reconciliation {flag.reconciliation_id})" if flag.reconciliation_id else ""
        yield (
            f"  changed since ({flag.at:%Y-%m-%d %H:%M:%S%z}): {flag.kind} of {flag.business_date}{about}{found_by}: "
            f"{flag.told}"
        )
    for unmet in status.unmet:
        found_by = f" (reconciliation {unmet.reconciliation_id})" if unmet.reconciliation_id else ""
        yield f"  {unmet.what}: {unmet.why}{found_by}"
    if not status.unmet and (signed is None or status.flags):
        yield "  every condition holds: it can be signed"


def _signature(name: str, moment: datetime.datetime, note: str | None) -> str:
    return f"{name} at {moment:%Y-%m-%d %H:%M:%S%z}{': ' + note if note else ''}"


def _sign(session: Session, options: argparse.Namespace) -> None:
    profile, period, by = load_profile(options.profile), parse_period(options.period), who(options)
    with session.transaction() as cursor:
        sign_off_id = sign(cursor, profile, period, by=by, note=options.note)
    say(f"{profile.name} {period:%Y-%m} is signed by {by} (sign-off {sign_off_id}); another person countersigns it.")


def _countersign(session: Session, options: argparse.Namespace) -> None:
    profile, period, by = load_profile(options.profile), parse_period(options.period), who(options)
    with session.transaction() as cursor:
        sign_off_id = countersign(cursor, profile, period, by=by, note=options.note)
    say(f"{profile.name} {period:%Y-%m} is countersigned by {by} (sign-off {sign_off_id}).")


def _accept_incomplete(session: Session, options: argparse.Namespace) -> None:
    profile, by = load_profile(options.profile), who(options)
    scope: Scope = "full" if options.full else "date"
    with session.transaction() as cursor:
        reconciliation_id = accept_incompleteness(cursor, profile, options.date, by=by, note=options.note, scope=scope)
    say(f"{profile.name} {options.date}: reconciliation {reconciliation_id} is accepted as incomplete.")


if __name__ == "__main__":
    sys.exit(main())
