"""The life of a month in which nights fail, and Ropo One and the ledger take back what they said."""

from __future__ import annotations

import datetime
from contextlib import nullcontext
from typing import TYPE_CHECKING, Literal, get_args

from include.status_store.earlier_dates import to_reread
from tests.include.reconciliation.month import FIRST, LAST, night, nothing_in_the_ledger, transaction
from tests.include.reconciliation.month_life import DAY, HALF_AN_HOUR, MonthLife

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

# Nights that leave something of their own date unknown; and every kind that there is.
Unknowing = Literal["cut", "refused", "not re-read", "not drained", "blind"]
Night = Literal[Unknowing, "no run", "no recheck", "well"]
UNKNOWING: tuple[Unknowing, ...] = get_args(Unknowing)
KINDS: tuple[Night, ...] = get_args(Night)


class TroubledLife(MonthLife):
    """One life, of a profile whose work began on its first date."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        pin = "INSERT INTO ropo.profile_pin VALUES (%s, 'host', '1', %s)"
        self.world.store(pin, (world.profile.name, self.moment()))
        # The last date of which a poll in doubt may have lost something.
        self.doubted_until: datetime.date | None = None
        self.has_quarantine = False

    # What comes of a day, beside what comes of any.

    def says_otherwise(self, invoice: str, amount: str, code: str, day: datetime.date | None = None) -> None:
        """The newest event of an invoice comes with other content; of another date, if that has come."""
        query = (
            "SELECT statusid, statustime FROM ropo.status_event WHERE billnum = %s ORDER BY first_seen_at DESC LIMIT 1"
        )
        for statusid, was in self.world.store(query, (invoice,)):
            self.world.store(
                "INSERT INTO ropo.status_event_revision "
                "(profile, statusid, revision, content_sha256, raw, poll_id, recorded_at, statustime, jobid, billnum) "
                "SELECT profile, statusid, (SELECT count(*) + 1 FROM ropo.status_event_revision WHERE statusid = %s), "
                "'', '{}', first_poll_id, %s, statustime, jobid, billnum FROM ropo.status_event WHERE statusid = %s",
                (statusid, self.moment(), statusid),
            )
            moved = was if day is None or day > self.day else datetime.datetime.combine(day, was.time())
            self.world.store(
                "WITH said AS (UPDATE ropo.status_event SET statustime = %s, "
                "amount = CASE statustype WHEN 'payment' THEN %s::numeric END, "
                "statuscode = CASE statustype WHEN 'payment' THEN '' ELSE %s END "
                "WHERE statusid = %s RETURNING profile, statustime::date, first_seen_at) "
                "INSERT INTO ropo.event_day (profile, day, seen_at) SELECT * FROM said ON CONFLICT DO NOTHING",
                (moved, amount, code, statusid),
            )
            for date in {was.date(), moved.date()}:
                self._touch(invoice, "event", date)

    def takes_out(self, invoice: str) -> None:
        """The ledger has no row any more of what Ropo One has spoken of."""
        if self.world.store("SELECT FROM ropo.status_event WHERE billnum = %s", (invoice,)):
            self.world.ledger("DELETE FROM ropo_ledger WHERE billnum = %s", (invoice,))
            self._touch(invoice, "row", self.day)

    def may_lose(self) -> None:
        """A poll ends in doubt, which nothing proves before :meth:`is_proven`."""
        moment = self.moment()
        window = {"window_from": self.day - DAY, "window_to": self.day, "opened_at": moment, "closed_at": moment}
        self.world.poll("drain", "in_doubt", recovery="pending", error="lost", **window)
        self.doubted_until = self.day

    def cannot_read(self, invoice: str) -> None:
        """A row waits in quarantine until :meth:`is_proven`."""
        moment = self.moment()
        self.world.quarantine(f'{{"billnum": "{invoice}", "statustime": "{moment:%F %T}"}}'.encode(), moment)
        self.has_quarantine = True

    def is_proven(self) -> None:
        """Each doubt is recovered, and each row in quarantine dismissed."""
        moment = (self.moment(),)
        self.world.store(
            "UPDATE ropo.status_poll SET recovery = 'recovered', recovered_at = %s WHERE recovery = 'pending'", moment
        )
        self.world.store(
            "UPDATE ropo.status_quarantine SET resolved_at = %s, resolution = 'dismissed' WHERE resolved_at IS NULL",
            moment,
        )
        self.doubted_until, self.has_quarantine = None, False

    def is_run_again(self, day: datetime.date) -> None:
        """Somebody runs an earlier date by hand."""
        if day < self.day:
            now = self.moment()
            self.world.reconcile(day, now=now, reread_poll_id=self.rereads(day, now))

    def passes_with(self, what: Night, *, is_full: bool = False) -> bool:
        """The night, with what fails in it; tell whether all is known in the morning."""
        day, now = self.day, night(self.day)
        if day == LAST:
            self.at_the_end = self.categories()
        self.day += DAY
        if what == "no run":
            return False
        if what != "not drained":
            self.drains(now)
        reread = None
        if what != "not re-read":
            outcome = "refused" if what == "refused" else "landed"
            reread = self.rereads(day, now, outcome, possibly_cut=what == "cut")
        with nothing_in_the_ledger(self.world) if what == "blind" else nullcontext():
            self.world.reconcile(day, now=now, reread_poll_id=reread)
            if what != "no recheck":
                self._looks_back(day, now)
            if is_full:
                self.world.reconcile(day, now=now + HALF_AN_HOUR, reread_poll_id=reread, scope="full")
        return what == "well" and not self.doubted_until and not self.has_quarantine

    def verdicts(self) -> dict[datetime.date, str]:
        """The newest of each date."""
        query = (
            "SELECT business_date, verdict FROM ropo.reconciled_date "
            "JOIN ropo.reconciliation USING (profile, business_date, scope, reconciliation_id) WHERE scope = 'date'"
        )
        return dict(self.world.store(query))

    def is_unknown(self, what: Night, day: datetime.date) -> bool:
        """Whether a night of a date has left something of it unknown."""
        return what in UNKNOWING or self.has_quarantine or (self.doubted_until or datetime.date.min) >= day

    def _looks_back(self, day: datetime.date, now: datetime.datetime) -> None:
        with transaction(self.world) as cursor:
            earlier = [date for date, _ in to_reread(cursor, self.world.profile, day) if date >= FIRST]
        for date in earlier:
            self.rereads(date, now)
        self.world.recheck(day, now=now)
