"""Under which names the store holds an invoice, told by the store alone."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.config.profiles import Profile
from include.page_data.invoice import read_invoice
from tests.include.status_store.views import execute
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

PROFILE = Profile(name="default")
DATE = datetime.date(2026, 3, 10)


def names_of(store: Connection, *keys: str) -> dict[str, tuple[str | None, list[int]]]:
    """Of each key what it goes by now, and which reconciliations had it."""
    with store.cursor() as cursor:
        found = {key: read_invoice(cursor, PROFILE, key) for key in keys}
    return {key: (each.goes_by, [seen.reconciliation_id for seen in each.seen]) for key, each in found.items()}


def test_the_name_under_which_its_job_was_seen_last_is_the_invoices(store: Connection) -> None:
    first = record(store, DATE, "breaks", breaks=(broken("X", "1", jobid="J"),))
    second = record(store, DATE, "breaks", breaks=(broken("Y", "1", jobid="J"),))
    record(store, DATE, "breaks", breaks=(broken("X", "1", jobid="J"), broken("Z", "1", jobid="J")), profile="other")
    assert names_of(store, "b:X", "b:Y") == {"b:X": ("b:Y", [first]), "b:Y": (None, [second, first])}


def test_of_two_invoices_that_bear_one_job_none_goes_by_the_others_name(store: Connection) -> None:
    both = record(store, DATE, "breaks", breaks=(broken("2", "1", jobid="J"), broken("3", "1", jobid="J")))
    one = record(store, DATE, "breaks", breaks=(broken("3", "1", jobid="J"),))
    assert names_of(store, "b:2", "b:3") == {"b:2": (None, [both]), "b:3": (None, [one, both])}


def test_a_renamed_break_leads_to_its_invoice_and_back_in_its_own_profile(store: Connection) -> None:
    first = record(store, DATE, "breaks", breaks=(broken("8", "1"), broken("9", "1")))
    reused = record(store, DATE, "breaks", breaks=(broken("8", "1", jobid="J8"), broken("8b", "1", jobid="J0")))
    second = record(store, DATE, "breaks", breaks=(broken("9b", "1", jobid="J9"),))
    for key in ("b:8", "b:9"):
        keep_break(store, first, key, "ledger_behind", "resolved")
        execute(
            store, "UPDATE ropo.reconciliation_break SET renamed_to = invoice_key || 'b' WHERE invoice_key = %s", (key,)
        )
    theirs = record(store, DATE, "breaks", breaks=(broken("7", "1"),), profile="other")
    keep_break(store, theirs, "b:7", "ledger_behind", "resolved")
    execute(store, "UPDATE ropo.reconciliation_break SET renamed_to = 'b:9b' WHERE profile = 'other'")
    assert names_of(store, "b:8", "b:8b", "b:9", "b:9b") == {
        "b:8": (None, [reused, first]),
        "b:8b": (None, [reused]),
        "b:9": ("b:9b", [first]),
        "b:9b": (None, [second, first]),
    }


def test_what_was_recorded_last_of_an_older_view_is_not_what_it_is_called_now(store: Connection) -> None:
    newer = record(store, DATE, "breaks", breaks=(broken("Y", "1", jobid="J"),))
    slow = record(store, DATE, "breaks", breaks=(broken("X", "1", jobid="J"),), scope="full")
    for number, hour in ((newer, 5), (slow, 4)):
        moment = datetime.datetime(2026, 3, 11, hour, tzinfo=datetime.UTC)
        execute(store, "UPDATE ropo.reconciliation SET view_at = %s WHERE reconciliation_id = %s", (moment, number))
    assert names_of(store, "b:X", "b:Y") == {"b:X": ("b:Y", [slow]), "b:Y": (None, [newer, slow])}
