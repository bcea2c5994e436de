"""A recorded reconciliation, read back and told in words."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Scope, Verdict
from include.config.wording import counted, grouped
from include.reconciliation.categories import CATEGORIES, MATCHED
from include.reconciliation.totals import Totals
from include.reconciliation.unmapped import UnmappedCode, shown_code
from include.reconciliation.verdict import Reason
from include.status_store.rows import named_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import cursor as Cursor


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation found: a row of ``ropo.reconciliation``; its fields are the table's.

    :param reasons: why the verdict is what it is; none where it is ``reconciled``.
    :param population: matched + pending + breaks + accepted.
    :param out_of_scope: invoices of the date that were sent before the profile's ``start_date``; not in the population.
    :param recovered: events that the re-read brought first; None without one.
    :param categories: category to its number of matched, pending, breaking and accepted invoices.
    :param totals: money by currency, of both sides, and the rows of each.
    :param second_opinions_asked: breaks that Ropo One was asked about again; ``second_opinions_cleared``: of them,
        those that match since.
    :param unmapped: codes of the population's events that the status map lacks.
    """

    reconciliation_id: int
    profile: str
    business_date: datetime.date
    scope: Scope
    verdict: Verdict
    population: int
    matched: int
    pending: int
    breaks: int
    accepted: int
    out_of_scope: int
    second_opinions_asked: int
    second_opinions_cleared: int
    second_opinions_note: str | None
    recovered: int | None
    absent_from_reread: int | None
    reasons: list[Reason]
    categories: dict[str, dict[str, int]]
    totals: Totals
    unmapped: list[UnmappedCode]

    def headline(self) -> str:
        """Return the verdict and its numbers in one line."""
        numbers = ", ".join(
            f"{grouped(getattr(self, name))} {name}" for name in ("matched", "pending", "breaks", "accepted")
        )
        return (
            f"{self.subject()}: {self.verdict}. "
            f"{counted(self.population, 'invoice')}: {numbers} (reconciliation {self.reconciliation_id})"
        )

    def failure(self) -> str:
        """Return the verdict, its numbers and its reasons in one line, for an error that may be all that is read."""
        return ". ".join((self.headline(), *self._told_reasons()))

    def subject(self) -> str:
        """Return the profile, scope and date that it is of, for people."""
        return subject(self.profile, self.business_date, self.scope)

    def lines(self) -> Iterator[str]:
        """Return the verdict, its reasons, the counts by category and the unmapped codes, a line each, for a log.

        The codes' labels are texts of rows, which nothing erases there.
        """
        yield self.headline()
        for reason in self._told_reasons():
            yield f"  {reason}"
        for category in CATEGORIES:
            counts = self.categories.get(category)
            if counts and category != MATCHED:
                buckets = {bucket: count for bucket, count in counts.items() if count}
                yield f"  {category}: " + ", ".join(
                    counted(count, "break") if bucket == "breaks" else f"{grouped(count)} {bucket}"
                    for bucket, count in buckets.items()
                )
        if self.recovered:
            events = counted(self.recovered, "event")
            yield f"  the re-read brought {events} that no drain had brought"
        if self.second_opinions_asked or self.second_opinions_note:
            note = f"; {self.second_opinions_note}" if self.second_opinions_note else ""
            yield (
                f"  second opinions: asked about {counted(self.second_opinions_asked, 'break')} again, "
                f"{grouped(self.second_opinions_cleared)} of them cleared{note}"
            )
        if self.out_of_scope:
            invoices = counted(self.out_of_scope, "invoice")
            yield f"  out of scope: {invoices} sent before the profile's start_date"
        for code in self.unmapped:
            shown = shown_code(code.statustype, code.code)
            yield f"  not in the status map: {code.statustype} {shown!r}, {counted(code.count, 'time')}"

    def _told_reasons(self) -> list[str]:
        return [f"{reason.word}: {reason.text}" for reason in self.reasons]


def subject(profile: str, business_date: datetime.date, scope: Scope) -> str:
    """Return what a reconciliation is of, for people: no two share it but those of one profile, date and scope."""
    return f"Profile {profile}, {'full comparison of' if scope == 'full' else 'business date'} {business_date}"


def read_recorded(cursor: Cursor, reconciliation_id: int) -> Recorded:
    """Read a reconciliation by its id.

    :raises LookupError: if there is none.
    """
    columns = ", ".join(Recorded.__struct_fields__)
    cursor.execute(
        f"SELECT {columns} FROM ropo.reconciliation WHERE reconciliation_id = %s",  # noqa: S608 - our own field names
        (reconciliation_id,),
    )
    found = named_rows(cursor)
    if not found:
        raise LookupError(f"There is no reconciliation {reconciliation_id}")
    return msgspec.convert(found[0], Recorded)
