"""Alerts about red verdicts, for the people who mend the differences."""

from __future__ import annotations

import datetime
import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from include.config.wording import counted, grouped, grouped_money
from include.reconciliation.categories import category_in_words, counted_category, reason_in_words
from include.reconciliation.stake import stake_in_words
from include.reconciliation.verdict import FOUND, is_red
from include.status_store.rows import rows_by_profile
from include.watch.alert import Matter
from include.watch.spans import Span
from include.watch.statements import statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile, Scope

LARGEST = 5


class LatestVerdict(msgspec.Struct, frozen=True):
    """The latest reconciliation of a date, or the newest full one (``latest_verdicts.sql``).

    :param verdict: of what was accepted as incomplete: ``breaks``, ``pending`` or ``reconciled``, by what it found.
    :param breaks: as recorded; of what no recheck makes anew, those that are open now.
    :param pending: as recorded.
    :param categories: as recorded, with what of each is what.
    :param open_categories: of what no recheck makes anew, how many of each are open now; None elsewhere.
    :param newest_opening: of the same, the event that opened one of its breaks last since it was recorded; None where
        none was.
    """

    reconciliation_id: int
    business_date: datetime.date
    verdict: str
    breaks: int
    pending: int
    reasons: list[dict[str, str]]
    categories: dict[str, dict[str, int]]
    totals: dict[str, Any]
    started_at: datetime.datetime
    open_categories: dict[str, int] | None
    newest_opening: int | None
    dag_id: str | None
    run_id: str | None

    @property
    def breaks_by_category(self) -> dict[str, int]:
        """Categories that have breaks, each with as many as are counted."""
        return self.recorded_by_category if self.open_categories is None else self.open_categories

    @property
    def recorded_by_category(self) -> dict[str, int]:
        """Categories that had breaks when it was recorded."""
        return {name: counts["breaks"] for name, counts in self.categories.items() if counts.get("breaks")}

    @property
    def is_as_recorded(self) -> bool:
        """Whether as many breaks are counted as it has recorded, in each category."""
        return self.breaks_by_category == self.recorded_by_category


def latest_verdicts(
    cursor: Cursor,
    spans: Sequence[Span],
    now: datetime.datetime,
    *,
    scope: Scope = "date",
    most: int | None = None,
    recorded_from: datetime.datetime | None = None,
    quiet: Collection[str] = (),
    in_full: bool = True,
) -> dict[str, list[LatestVerdict]]:
    """Return the latest verdict of each business date of a span that has one, in order, by profile.

    :param spans: one a profile.
    :param scope: ``full``: of the newest full comparison, and of those that are of later dates than its own.
    :param recorded_from: of dates before the span too, where they were recorded since; None: of none.
    :param most: up to so many breaks are counted where those that are open now count; None: all.
    :param quiet: verdicts, as they were recorded, that are left out where there is no break, accepted ones included.
    :param in_full: with ``categories``, ``totals`` and ``newest_opening``; else these are empty, which takes a third of
        the time.
    """
    names = [span.profile.name for span in spans]
    values = {
        "profiles": names,
        "firsts": [span.first for span in spans],
        "lasts": [span.last for span in spans],
        "rechecked_from": [span.profile.rechecked_from(span.profile.business_date(now)) for span in spans],
        "scope": scope,
        "most": most,
        "recorded_from": recorded_from,
        "quiet": list(quiet),
        "in_full": in_full,
    }
    cursor.execute(statement("latest_verdicts"), values)
    return {name: [LatestVerdict(**row) for row in rows] for name, rows in rows_by_profile(cursor, names).items()}


class RedVerdicts:
    """Dates whose latest verdict is one that turns a run red.

    :param date: only this one; by default all of the profile's ``watched_days``, those that a recheck changed too, and
        earlier ones that were recorded within so many days, as a backfill takes them.
    :param scope: ``full``: of full comparisons. Each looks at all invoices: of the newest, and those of later dates.
    """

    name = "red_verdict"
    plural = "business dates are red"

    def __init__(
        self, profile: Profile, now: datetime.datetime, *, date: datetime.date | None = None, scope: Scope = "date"
    ) -> None:
        self.profile = profile
        self.now = now
        self.is_everything = date is None
        self._date = date
        self._scope = scope
        if scope == "full":
            self.name, self.plural = "red_full_comparison", "full comparisons are red"
        self._red: dict[str, LatestVerdict] = {}

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the red dates as subjects; what they have to tell changes with the verdict, its reasons and counts.

        Where open breaks count, one that was opened since is told, and one that was settled is not.
        """
        today = self.profile.business_date(self.now)
        watched = datetime.timedelta(days=self.profile.watched_days)
        verdicts = latest_verdicts(
            cursor,
            [Span(self.profile, self._date or today - watched, self._date or today)],
            self.now,
            scope=self._scope,
            recorded_from=self.now - watched if self._date is None else None,
        )[self.profile.name]
        fail_on = self.profile.fail_on
        self._red = {
            verdict.business_date.isoformat(): verdict
            for verdict in verdicts
            if is_red(verdict.verdict, verdict.breaks, fail_on)
        }
        return {date: _fingerprint(verdict) for date, verdict in self._red.items()}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:
        """Return each date's reasons, its totals by currency, and its largest breaks or that there are too many."""
        return [self._matter(cursor, self._red[date]) for date in subjects]

    def _matter(self, cursor: Cursor, verdict: LatestVerdict) -> Matter:
        lines = list(self._reasons(verdict))
        lines += (_totals(currency) for currency in verdict.totals.get("currencies", []))
        date = f"{'the full comparison of ' if self._scope == 'full' else ''}{verdict.business_date}"
        cap = self.profile.break_cap
        if verdict.breaks > cap:
            number = grouped(verdict.breaks)
            title = f"{date} has {number} breaks, more than {grouped(cap)}: look for one cause of them all"
            lines.append(f"By category: {_by_category(verdict)}. So many are seldom mistakes in the books each: see "
                         "the ledger's SELECT, its feed, the status map, and what changed lately")  # fmt: skip
        else:
            found = [_told_verdict(verdict)] if verdict.verdict != "breaks" else []
            found += [counted(verdict.breaks, "break")] if verdict.breaks else []
            title = f"{date} is red: {', '.join(found)}"
            lines += self._largest(cursor, verdict)
        return Matter(title=title, lines=tuple(lines), dag_id=verdict.dag_id, run_id=verdict.run_id)

    def _reasons(self, verdict: LatestVerdict) -> Iterator[str]:
        """What was found is told as of its day, where other breaks are open now than it has recorded."""
        day = self.profile.business_date(verdict.started_at)
        for reason in verdict.reasons:
            is_of_its_day = reason["word"] in FOUND and not verdict.is_as_recorded
            yield f"as recorded on {day}: {reason['text']}" if is_of_its_day else reason["text"]
        if verdict.breaks and not verdict.is_as_recorded:
            yield f"of these breaks, open now: {_by_category(verdict)}"

    def _largest(self, cursor: Cursor, verdict: LatestVerdict) -> Iterator[str]:
        cursor.execute(statement("largest_breaks"), {"reconciliation_id": verdict.reconciliation_id, "most": LARGEST})
        for billnum, jobid, category, reason, currency, amount, ropo, ledger, hint in cursor.fetchall():
            invoice = f"Invoice {billnum}" if billnum else f"Job {jobid}"
            near = f" ({hint})" if hint else ""
            yield (
                f"{invoice}: {category_in_words(category)}, {reason_in_words(category, reason)}{near}; "
                f"Ropo One {_side(ropo)}, ledger {_side(ledger)}; {stake_in_words(category, amount, currency)} at stake"
            )


def _told_verdict(verdict: LatestVerdict) -> str:
    """Return a verdict with the words for what is missing, where something is."""
    if verdict.verdict != "incomplete":
        return verdict.verdict
    missing = [reason["word"] for reason in verdict.reasons if reason["word"] not in FOUND]
    return f"{verdict.verdict} ({', '.join(missing).replace('_', ' ')})" if missing else verdict.verdict


def _fingerprint(verdict: LatestVerdict) -> str:
    told: list[Any] = [verdict.verdict, verdict.recorded_by_category]
    told.append(sorted(reason["word"] for reason in verdict.reasons))
    # No set of what is open: each one that is settled would be told as news.
    told += [verdict.newest_opening] if verdict.newest_opening else []
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def _by_category(verdict: LatestVerdict) -> str:
    return ", ".join(counted_category(name, count) for name, count in verdict.breaks_by_category.items())


def _totals(money: Mapping[str, Any]) -> str:
    def told(*names: str) -> str:
        return grouped_money(sum((Decimal(money.get(name, 0)) for name in names), Decimal(0)))

    return (
        f"{money['currency']}, {counted(money['invoices'], 'invoice')}: Ropo One {told('ropo_paid')} paid and "
        f"{told('ropo_discount')} discount; ledger {told('ledger_paid', 'extra_paid')} paid and "
        f"{told('ledger_discount', 'extra_discount')} discount"
    )


def _side(state: str | None) -> str:
    """A state as a sentence has it: partly_paid is partly paid."""
    return (state or "unknown").replace("_", " ")
