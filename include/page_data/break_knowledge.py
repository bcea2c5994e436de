"""Whether the breaks that are recorded can be all there are."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from include.config.wording import counted, worded
from include.page_data.past_grace import count_past_grace, has_more_past_grace
from include.page_data.statements import row_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

Caveat = Literal["nothing_compared", "ledger_empty", "backlog", "past_grace"]


class BreakKnowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of breaks stands on (``break_knowledge.sql``).

    :param is_compared: any date was; ``waiting``: reconciliations whose breaks are not in the list yet.
    :param ledger_empty_on: the business date of the newest reconciliation, if it found no row in the ledger.
    :param pending: reconciliations, each the newest of its date, that left something pending; each with that date.
    :param past_grace: of how many invoices of which of these dates the grace is over, the first date first.
    """

    is_compared: bool
    ledger_empty_on: datetime.date | None
    waiting: int
    pending: list[tuple[int, datetime.date]]
    past_grace: dict[datetime.date, int] = msgspec.field(default_factory=dict)

    @property
    def caveat(self) -> Caveat | None:
        """Why there may be other breaks than those that are recorded; None where nothing speaks for it."""
        if not self.is_compared:
            return "nothing_compared"
        if self.ledger_empty_on:
            return "ledger_empty"
        if self.waiting:
            return "backlog"
        return "past_grace" if self.past_grace else None

    def in_words(self) -> list[str]:
        """Return what stands against the list, a sentence each; none where there is no caveat."""
        found = []
        if not self.is_compared:
            found.append("No date was compared yet.")
        if self.ledger_empty_on:
            found.append(
                f"The newest reconciliation, of {self.ledger_empty_on}, found no row at all in the ledger, and such a "
                "one opens and closes no break, whatever differs."
            )
        if self.waiting:
            waiting = counted(self.waiting, "reconciliation waits", "reconciliations wait")
            found.append(f"{waiting} to be taken into this list; the next comparison does so.")
        if self.past_grace:
            found.append(self._past_grace_in_words())
        return found

    def _past_grace_in_words(self) -> str:
        dates, number = len(self.past_grace), sum(self.past_grace.values())
        first = next(iter(self.past_grace))
        if dates > 1:
            number, of = dates, f"Invoices of {dates} dates, the first {first},"
        else:
            of = f"{counted(number, 'invoice')}{' or more' if has_more_past_grace(number) else ''} of {first}"
        is_past = worded(number, "is past its grace and was", "are past their grace and were")
        may_be = worded(number, "it may be a break", "they may be breaks")
        noun, them = worded(dates, ("date", "it"), ("dates", "them"))
        return (
            f"{of} {is_past} not compared again since: {may_be} by now. "
            f"Ask for the {noun} to be run again where the next nightly run does not compare {them}."
        )


def read_knowledge(cursor: Cursor, profiles: Sequence[Profile], now: datetime.datetime) -> dict[str, BreakKnowledge]:
    """Return what each profile's list of breaks stands on, by its name.

    :param now: aware; a grace that has ended by then is over.
    """
    names, starts = [profile.name for profile in profiles], [profile.start_date for profile in profiles]
    known = row_of_each(cursor, BreakKnowledge, "break_knowledge", names, {"starts": starts})
    past_grace = count_past_grace(cursor, {each: now for found in known.values() for each, _ in found.pending})
    return {
        name: msgspec.structs.replace(
            found,
            past_grace={date: past_grace[each] for each, date in found.pending if each in past_grace},
        )
        for name, found in known.items()
    }
