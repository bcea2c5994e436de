"""A date answer that was possibly cut: what it may lack is looked for, by asking about each invoice of the date.

The rule for *complete*: every invoice of the date's population was asked about by its number, and nothing dated that
day came that the date's answers had not shown. It rests on the population, which is wider than the answer: it has every
invoice that a drain spoke of and that the ledger sent or changed that day.

Single checks are what Ropo allows, not mass queries: a profile's ``cut_date_invoices`` bounds them, of a date and of a
comparison whatever the number of its dates. Where they cannot prove anything, none is asked.

Of an invoice that nobody knows it says nothing. A poll in doubt may have lost the only change of one: while such a
doubt reaches the date, nobody is asked, and nothing is proven.
"""

from __future__ import annotations

import datetime
import logging
import time
from typing import TYPE_CHECKING

import msgspec

from include.config.wording import counted, grouped, worded
from include.reconciliation.inquiry import MAX_SECONDS
from include.reconciliation.statements import statement
from include.status_store.reread import conclude
from include.status_store.rows import only_row, structs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.by_billnum import BillnumQuestions
    from include.status_store.session import Session

logger = logging.getLogger(__name__)


class CutDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date whose re-read was possibly cut (``pick_cut.sql``).

    :param absent: events held for it that its answers did not show.
    :param invoices: of its population; ``unnamed``: those of them without a number to ask by.
    :param numbers: of its invoices; ``billnums``: those to ask by, of invoices that differ first; no more than may be.
    :param in_vain: why asking by each of ``billnums`` did not show an earlier re-read complete; None where it did, or
        where it was not done.
    """

    business_date: datetime.date
    poll_id: int
    absent: int
    invoices: int
    unnamed: int
    numbers: int
    billnums: list[str]
    in_vain: str | None

    @property
    def hopeless(self) -> str | None:
        """Why no question by number can show the answer complete; None where one may."""
        if self.absent:
            return f"it did not show {counted(self.absent, 'event that was', 'events that were')} held for the date"
        if not self.invoices:
            return "the date has no invoice in scope to ask about"
        if self.numbers > len(self.billnums):
            numbers, most = grouped(self.numbers), grouped(len(self.billnums))
            return f"the date has {numbers} invoice numbers, and no more than {most} may be asked about"
        if self.unnamed:
            have = worded(self.unnamed, "has", "have")
            invoices = counted(self.invoices, "invoice")
            return f"{grouped(self.unnamed)} of the date's {invoices} {have} no number to ask by"
        if self.in_vain:
            return f"asked about before, its invoices did not show it complete: {self.in_vain}"
        return None


class CutAnswer:
    """Asks about every invoice of dates whose re-read was possibly cut, and writes on the re-read what that proves.

    :param session: for what is concluded; in no transaction.
    """

    def __init__(self, questions: BillnumQuestions, session: Session, profile: Profile) -> None:
        self._questions = questions
        self._session = session
        self._profile = profile
        self._dates: list[CutDate] = []
        # By re-read: why no question can help.
        self._hopeless: dict[int, str] = {}

    def pick(self, cursor: Cursor, rereads: Mapping[datetime.date, int | None]) -> bool:
        """Pick the dates whose re-read was possibly cut and is not judged yet, with their invoices; none in doubt.

        Those that no question can help are judged at once, in the comparison's transaction: where nothing else is asked
        it is recorded with that.
        """
        values = {
            "profile": self._profile.name,
            "polls": [poll_id for poll_id in rereads.values() if poll_id is not None],
            "limit": self._profile.cut_date_invoices,
        }
        cursor.execute(statement("pick_cut"), values)
        cut = structs(cursor, CutDate)
        dates = [date for date in cut if self._doubting_poll(cursor, date) is None]
        self._dates = [date for date in dates if not date.hopeless]
        self._hopeless = {date.poll_id: why for date in dates if (why := date.hopeless)}
        self._give_up(cursor)
        return bool(self._dates)

    def ask(self) -> None:
        """Ask about each invoice, and write what it came to; dates without room for them are left to another run."""
        if self._hopeless:
            with self._session.transaction() as cursor:
                self._give_up(cursor)  # again: the comparison's transaction came to nothing
        started, left = time.monotonic(), self._profile.cut_date_invoices
        for date in self._dates:
            left -= len(date.billnums)
            if left < 0:
                break
            logger.info(
                "Profile %s: the re-read of %s is possibly cut; asking about its %d invoices",
                self._profile.name, date.business_date, date.invoices,
            )  # fmt: skip
            seconds = max(0.0, MAX_SECONDS - (time.monotonic() - started))
            stopped = self._questions.ask(date.billnums, max_seconds=seconds)
            with self._session.transaction() as cursor:
                complete, why = self._conclude(cursor, date, stopped)
                conclude(cursor, date.poll_id, complete=complete, why=why)
            logger.info("Profile %s: the re-read of %s: %s", self._profile.name, date.business_date, why)

    def columns(self, cursor: Cursor, day: datetime.date) -> dict[str, object]:  # noqa: ARG002 - the protocol's
        """Return nothing: what it proved stands on the re-read, and in the verdict's reasons."""
        return {}

    def _give_up(self, cursor: Cursor) -> None:
        """Write that dates cannot be shown complete, without asking."""
        for poll_id, why in self._hopeless.items():
            conclude(cursor, poll_id, complete=False, why=why)

    def _conclude(self, cursor: Cursor, date: CutDate, stopped: str | None) -> tuple[bool | None, str]:
        """Return whether the answer is complete, None where that is still open, and why."""
        answers, refused = self._questions.answers, self._questions.refused
        polls = [answers[billnum].poll_id for billnum in date.billnums if billnum in answers]
        values = {"profile": self._profile.name, "polls": polls, "business_date": date.business_date}
        cursor.execute(statement("brought_by_number"), values)
        brought = only_row(cursor)[0]
        were = worded(len(polls), "was asked about by its", "were asked about by their")
        asked = f"{grouped(len(polls))} of {counted(date.invoices, 'invoice')} {were} number"
        if brought:
            changes = counted(brought, "change")
            return False, f"{changes} of the date came by invoice number that it did not show: it was cut"
        if stopped:
            return None, f"{asked}: {stopped}"
        doubting = self._doubting_poll(cursor, date)
        if doubting is not None:
            return None, f"{asked}: poll {doubting} may have lost changes of invoices that nobody knows"
        unparsed = sum(answers[billnum].unparsed for billnum in date.billnums if billnum in answers)
        problems = {
            "refused by Ropo One": sum(billnum in refused for billnum in date.billnums),
            "with an answer that could not be parsed": unparsed,
        }
        told = ", ".join(f"{grouped(count)} {what}" for what, count in problems.items() if count)
        if told:
            return False, f"{asked}: {told}"
        invoices = counted(date.invoices, "invoice")
        return True, f"each of the date's {invoices} was asked about, and nothing more of the date came"

    def _doubting_poll(self, cursor: Cursor, date: CutDate) -> int | None:
        """Return a poll that may have lost changes of the date which nobody holds, None where there is none."""
        values = {"profile": self._profile.name, "business_date": date.business_date, "reread_poll_id": date.poll_id}
        cursor.execute(statement("doubting_poll"), values)
        poll_id: int | None = only_row(cursor)[0]
        return poll_id
