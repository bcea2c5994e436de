"""The engineer's commands on the store: ``python -m include.status_store --help``.

They need no Airflow: the store is the one that ``AIRFLOW_CONN_ROPO_STORE`` names.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from include.config.profiles import load_profile, load_profiles
from include.config.wording import counted
from include.status_store import attention
from include.status_store.command_line import add_note, add_profile, profiles, run_command, say, say_each, who
from include.status_store.consumers import undrained_events
from include.status_store.mark_in_doubt import mark_in_doubt, parse_moment
from include.status_store.page_body import NoPageError, read_body
from include.status_store.replay import replay
from include.status_store.retired import NotToRetireError, retire

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from include.config.profiles import Profile
    from include.status_store.consumers import UndrainedEvent
    from include.status_store.session import Session


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its result goes to standard output, an error to standard error with exit code 1."""
    return run_command(_parser().parse_args(arguments), attention.NothingToSettleError, NoPageError, NotToRetireError)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.status_store", description="Commands on the status store")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, text in (
        ("replay", _replay, "parse again the pages and rows that could not be parsed when they came"),
        ("doubts", _doubts, "list the polls in doubt that are neither recovered nor accepted"),
        ("quarantine", _quarantine, "list the rows that could not be taken as events"),
        ("undrained", _undrained, "list the changes that no drain brought: taken by another consumer, or by our reads"),
    ):
        listing = commands.add_parser(name, help=text, description=text)
        add_profile(listing)
        listing.set_defaults(command=command)
        if name == "quarantine":
            listing.add_argument("--raw", action="store_true", help="show the rows too: they may hold personal data")
    for name, command, text in (
        ("accept", _accept, "accept a doubt that could not be proven away, by its poll id"),
        ("dismiss", _dismiss, "dismiss a quarantined row, by its id"),
    ):
        settling = commands.add_parser(name, help=text, description=text)
        settling.add_argument("id", type=int)
        add_note(settling)
        settling.set_defaults(command=command)
        if name == "accept":
            settling.add_argument(
                "--not-asked",
                action="store_true",
                help="one that is still pending too: Ropo One refuses to be asked by date, or it was marked by mistake",
            )
    text = "write a poll's answer to standard output, byte for byte unless texts were erased: personal data"
    reading = commands.add_parser("page", help=text, description=text)
    reading.add_argument("id", type=int, help="of the poll")
    reading.set_defaults(command=_page)
    text = (
        "put a span of time in doubt, after the store was restored from a backup: the next drain run re-reads its dates"
    )
    marking = commands.add_parser("mark-in-doubt", help=text, description=text)
    marking.add_argument("--profile", required=True)
    for name, what in (("--from", "its start, say the moment of the backup"), ("--to", "its end, that of restoring")):
        marking.add_argument(
            name, dest=name[2:], metavar="TS", required=True, help=f"{what}; market time unless it says"
        )
    add_note(marking)
    marking.set_defaults(command=_mark_in_doubt)
    text = "say that a profile was taken out of the profiles file for good: nobody is told of it any more"
    retiring = commands.add_parser("retire", help=text, description=text)
    retiring.add_argument("name", help="of the profile")
    add_note(retiring)
    retiring.set_defaults(command=_retire)
    return parser


def _replay(session: Session, options: argparse.Namespace) -> None:
    for profile in profiles(options):
        done = replay(session, profile)
        say(
            f"{profile.name}: {counted(done.pages, 'page')} and {counted(done.rows, 'row')} taken, "
            f"{counted(done.new, 'new event')}; still waiting: {counted(done.pages_left, 'page')} and "
            f"{counted(done.rows_left, 'row')}"
        )


def _doubts(session: Session, options: argparse.Namespace) -> None:
    for profile in profiles(options):
        with session.transaction() as cursor:
            found = attention.doubts(cursor, profile.name)
        say_each(profile, map(_doubt, found))


def _doubt(doubt: attention.Doubt) -> str:
    return (
        f"poll {doubt.poll_id} of {doubt.opened_at:%Y-%m-%d %H:%M:%S%z}, {doubt.recovery}, "
        f"{_window(doubt)}: {doubt.error}{'; ' + doubt.recovery_reason if doubt.recovery_reason else ''}"
    )


def _window(doubt: attention.Doubt) -> str:
    return f"dates {doubt.window_from} to {doubt.window_to}{' (before any 204)' if doubt.bounded else ''}"


def _quarantine(session: Session, options: argparse.Namespace) -> None:
    for profile in profiles(options):
        with session.transaction() as cursor:
            found = attention.quarantined_rows(cursor, profile.name)
        say_each(profile, (_row(each, shows_raw=options.raw) for each in found))


def _row(row: attention.QuarantinedRow, *, shows_raw: bool) -> str:
    raw = f"\n    {bytes(row.raw).decode(errors='backslashreplace')}" if shows_raw else ""
    return (
        f"row {row.quarantine_id} (poll {row.poll_id}, place {row.ordinal}, seen {counted(row.times_seen, 'time')} "
        f"since {row.first_seen_at:%Y-%m-%d}): {row.error}{raw}"
    )


def _accept(session: Session, options: argparse.Namespace) -> None:
    with session.transaction() as cursor:
        attention.accept_doubt(cursor, options.id, by=who(options), note=options.note, not_asked=options.not_asked)
    say(f"Poll {options.id} is accepted.")


def _dismiss(session: Session, options: argparse.Namespace) -> None:
    with session.transaction() as cursor:
        attention.dismiss_row(cursor, options.id, by=who(options), note=options.note)
    say(f"Row {options.id} is dismissed.")


def _page(session: Session, options: argparse.Namespace) -> None:
    with session.transaction() as cursor:
        body = read_body(cursor, options.id)
    if body.redacted_at is not None:
        sys.stderr.write(f"Texts of it were erased {body.redacted_at:%Y-%m-%d}: these are not the bytes that came.\n")
    sys.stdout.buffer.write(body.content)


def _undrained(session: Session, options: argparse.Namespace) -> None:
    for profile in profiles(options):
        with session.transaction() as cursor:
            found = undrained_events(cursor, profile.name)
        say_each(profile, map(_change, found))


def _change(event: UndrainedEvent) -> str:
    return (
        f"{event.statusid} ({event.statustype}, invoice {event.billnum or 'not known'}, "
        f"jobid {event.jobid or 'not known'}) of {event.statustime:%Y-%m-%d %H:%M:%S}: shown by poll "
        f"{event.shown_by_poll_id} ({event.source}), not drained by the time of poll {event.empty_poll_id}"
    )


def _mark_in_doubt(session: Session, options: argparse.Namespace) -> None:
    profile = load_profile(options.profile)
    start, end = (_moment(options, name, profile) for name in ("from", "to"))
    with session.transaction() as cursor:
        poll_id = mark_in_doubt(cursor, profile, start, end, by=who(options), note=options.note)
        [marked] = [each for each in attention.doubts(cursor, profile.name) if each.poll_id == poll_id]
    say(
        f"{profile.name}: poll {poll_id} stands for the span in doubt; the next run of ropo_status_drain re-reads "
        f"{_window(marked)}."
    )


def _retire(session: Session, options: argparse.Namespace) -> None:
    known = [profile.name for profile in load_profiles()]
    with session.transaction() as cursor:
        retire(cursor, options.name, known, by=who(options), note=options.note)
    say(f"Profile {options.name} is retired. What the store has of it stays; back in the file, it is at work again.")


def _moment(options: argparse.Namespace, name: str, profile: Profile) -> datetime.datetime:
    try:
        return parse_moment(getattr(options, name), profile)
    except ValueError as error:
        raise ValueError(f"--{name}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
