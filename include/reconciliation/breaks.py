"""The controller's commands on breaks: ``python -m include.reconciliation.breaks --help``.

They need no Airflow: the store is the one that ``AIRFLOW_CONN_ROPO_STORE`` names.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, get_args

from include.config.profiles import load_profile
from include.config.wording import counted
from include.reconciliation.break_history import event_in_words
from include.reconciliation.break_listing import BreakFilter, Severity, history_of, list_breaks
from include.reconciliation.categories import CATEGORIES, MATCHED, reason_in_words
from include.reconciliation.decisions import BreakDecisionError, accept_breaks, comment_breaks, reopen_breaks
from include.reconciliation.stake import stake_in_words
from include.status_store.command_line import (
    add_note,
    add_profile,
    profiles,
    run_command,
    say,
    say_each,
    who,
    whole_number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.reconciliation.break_listing import Break
    from include.status_store.session import Session

LISTED = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its result goes to standard output, an error to standard error with exit code 1."""
    return run_command(_parser().parse_args(arguments), BreakDecisionError)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.reconciliation.breaks", description="Differences that live across days"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "list breaks, the most severe first"
    listing = commands.add_parser("list", help=text, description=text)
    add_profile(listing)
    listing.add_argument("--state", choices=("open", "accepted", "resolved", "any"), default="open")
    _add_filters(listing)
    listing.add_argument("--billnum", help="of one invoice")
    listing.add_argument(
        "--limit", type=whole_number(1, 1_000_000), default=LISTED, help=f"of each profile; by default {LISTED}"
    )
    listing.set_defaults(command=_list)
    text = "show everything that happened to a break"
    history = commands.add_parser("history", help=text, description=text)
    history.add_argument("id", type=int)
    history.set_defaults(command=_history)
    text = "accept open breaks with the states and amounts that they have now; any change opens them again"
    accepting = commands.add_parser("accept", help=text, description=text)
    accepting.add_argument("ids", type=int, nargs="*", metavar="ID")
    accepting.add_argument("--profile", help="accept by filter: every open break of this profile")
    _add_filters(accepting)
    accepting.add_argument("--expect", type=int, metavar="N", help="by filter: accept only if it finds N breaks")
    add_note(accepting)
    accepting.set_defaults(command=_accept)
    text = "open accepted breaks again, all or none; the verdict of a date follows with its next comparison"
    reopening = commands.add_parser("reopen", help=text, description=text)
    reopening.add_argument("ids", type=int, nargs="+", metavar="ID")
    add_note(reopening)
    reopening.set_defaults(command=_reopen)
    text = "add a comment to the history of breaks"
    commenting = commands.add_parser("comment", help=text, description=text)
    commenting.add_argument("ids", type=int, nargs="+", metavar="ID")
    add_note(commenting)
    commenting.set_defaults(command=_comment)
    return parser


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--category", choices=[each for each in CATEGORIES if each != MATCHED])
    parser.add_argument("--severity", choices=get_args(Severity))


def _list(session: Session, options: argparse.Namespace) -> None:
    for profile in profiles(options):
        asked = BreakFilter(
            profile=profile.name,
            state=None if options.state == "any" else options.state,
            category=options.category,
            severity=options.severity,
            billnum=options.billnum,
        )
        with session.transaction() as cursor:
            # One more than is shown tells whether there are more.
            found = list_breaks(cursor, asked, limit=options.limit + 1)
        say_each(profile, map(_line, found[: options.limit]))
        if len(found) > options.limit:
            say(f"{profile.name}: there are more; --limit shows them")


def _line(each: Break) -> str:
    invoice = f"invoice {each.billnum}" if each.billnum else f"job {each.jobid}"
    accepted = f"; accepted by {each.accepted_by}: {each.accepted_note}" if each.state == "accepted" else ""
    return (
        f"break {each.break_id}, {each.severity}, {each.state}, {invoice}: {each.category}, "
        f"{reason_in_words(each.category, each.reason)}; "
        f"{stake_in_words(each.category, each.amount, each.currency)} at stake; "
        f"{counted(each.age_days, 'day')} old (since {each.business_date}), "
        f"seen {counted(each.times_seen, 'time')}{accepted}"
    )


def _history(session: Session, options: argparse.Namespace) -> None:
    with session.transaction() as cursor:
        events = history_of(cursor, options.id)
    if not events:
        raise BreakDecisionError(f"there is no break {options.id}")
    for event in events:
        found_by = f" (reconciliation {event.reconciliation_id})" if event.reconciliation_id else ""
        told = event_in_words(event.kind, event.by_whom, event.note, event.category)
        note = f": {told.note}" if told.note else ""
        say(f"{event.at:%Y-%m-%d %H:%M:%S%z} {event.kind} by {told.by}{found_by}{note}")


def _accept(session: Session, options: argparse.Namespace) -> None:
    if bool(options.ids) == bool(options.profile):
        raise ValueError("expected the ids of breaks, or a --profile whose open breaks are meant")
    if options.ids and (options.category or options.severity or options.expect is not None):
        raise ValueError(
            "--category, --severity, --expect: only with --profile; ids say already which breaks are meant"
        )
    if options.profile and options.expect is None:
        raise ValueError("--expect: expected the number of breaks that the filter is to find; `list` shows them")
    by = who(options)
    with session.transaction() as cursor:
        ids = options.ids or _found(cursor, options)
        accepted = accept_breaks(cursor, ids, by=by, note=options.note)
    say(f"{accepted} accepted.")


def _found(cursor: Cursor, options: argparse.Namespace) -> list[int]:
    asked = BreakFilter(
        profile=load_profile(options.profile).name, category=options.category, severity=options.severity
    )
    found = [each.break_id for each in list_breaks(cursor, asked)]
    if len(found) != options.expect:
        raise BreakDecisionError(f"Nothing was accepted: there are {len(found)} such breaks, not {options.expect}")
    return found


def _reopen(session: Session, options: argparse.Namespace) -> None:
    by = who(options)
    with session.transaction() as cursor:
        reopened = reopen_breaks(cursor, options.ids, by=by, note=options.note)
    say(f"{reopened} opened again.")


def _comment(session: Session, options: argparse.Namespace) -> None:
    by = who(options)
    with session.transaction() as cursor:
        commented = comment_breaks(cursor, options.ids, by=by, note=options.note)
    say(f"{commented} commented.")


if __name__ == "__main__":
    sys.exit(main())
