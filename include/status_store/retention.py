"""How long the store keeps raw pages and free texts: ``python -m include.status_store.retention --help``.

A raw page older than the profile's ``page_retention_days`` is removed once nothing can be asked of it any more: its
rows are events, none of them waits in quarantine, and each business date that it bears on is *reconciled*. These are
the dates of its events, the day on which it came and the day on which it was parsed; reconciled means that the newest
reconciliation of the date (scope ``date``) says so. An event belongs also to the day on which it was first stored, and
that day is only ever reconciled when it is over: so every event of the page has been compared after it came, and
found right. A date with breaks keeps its pages: they are what a dispute with Ropo or a customer would be about.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import load_profile
from include.config.wording import counted
from include.status_store.command_line import run_command, say
from include.status_store.erasure import NothingToEraseError, TextErasure
from include.status_store.rows import only_row
from include.status_store.statements import statement
from include.status_store.touched_dates import note_dates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.config.profiles import Profile
    from include.status_store.session import Session

PAGES_AT_ONCE = 50
_KEPT = """
SELECT count(*)
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE poll.profile = %(profile)s AND page.received_at < %(before)s AND page.removed_at IS NULL
"""


class RemovedPages(msgspec.Struct, kw_only=True):
    """What became of the pages that are past their retention, in counts.

    :param removed: now; ``kept``: they bear on dates that are not reconciled, or wait for somebody.
    :param finished: false where it ran out of time; the next run goes on.
    """

    removed: int = 0
    kept: int = 0
    finished: bool = True


def remove_pages(session: Session, profile: Profile, now: datetime.datetime, *, max_seconds: float) -> RemovedPages:
    """Remove the bodies of pages older than the profile's ``page_retention_days``, a batch a transaction.

    :param now: aware.
    :param max_seconds: what is left then goes to the next run.
    """
    before = now - datetime.timedelta(days=profile.page_retention_days)
    values = {"profile": profile.name, "before": before, "start": profile.start_date, "limit": PAGES_AT_ONCE}
    deadline = time.monotonic() + max_seconds
    done = RemovedPages(finished=note_dates(session, profile, deadline, before=before))
    while done.finished:
        with session.transaction() as cursor:
            cursor.execute(statement("remove_pages"), values)
            removed = cursor.rowcount
        done.removed += removed
        if removed < PAGES_AT_ONCE:
            break
        done.finished = time.monotonic() < deadline
    with session.transaction() as cursor:
        cursor.execute(_KEPT, values)
        (done.kept,) = only_row(cursor)
    return done


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its result goes to standard output, an error to standard error with exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m include.status_store.retention", description="Retention commands")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "erase the free texts of an invoice's rows; keys, codes and amounts stay"
    erase = commands.add_parser("erase", help=text, description=text)
    erase.add_argument("--profile", required=True)
    which = erase.add_mutually_exclusive_group(required=True)
    which.add_argument("--billnum", help="the invoice's number in the sender's books: its rows, and those of its jobs")
    which.add_argument("--jobid", help="Ropo One's number of a job: the rows of that job alone")
    erase.add_argument("--by", required=True, help="who; kept on record")
    erase.add_argument("--note", required=True, help="why, without personal data; kept on record")
    erase.set_defaults(command=_erase)
    return run_command(parser.parse_args(arguments), NothingToEraseError)


def _erase(session: Session, options: argparse.Namespace) -> None:
    erasure = TextErasure(session, load_profile(options.profile), by=options.by, note=options.note)
    if options.billnum is not None:
        what, done = f"invoice {options.billnum}", erasure.of_invoice(options.billnum)
    else:
        what, done = f"job {options.jobid}", erasure.of_job(options.jobid)
    say(
        f"Profile {options.profile}, {what}: erased the texts of {counted(done.events, 'event')}, "
        f"{counted(done.revisions, 'revision')}, {counted(done.quarantined, 'row')} in quarantine and "
        f"{counted(done.pages, 'raw page')}, and the labels of {counted(done.labels, 'reconciliation')}."
    )


if __name__ == "__main__":
    sys.exit(main())
