"""Breaks across days: what recorded reconciliations do to them.

A break is one difference of one category of one invoice. It is opened by the first reconciliation that shows it past
its grace, seen again by later ones, and resolved by one that finds the invoice right or in another category, or leaves
it out because ``start_date`` was moved; one that returns is reopened, in the same row, and so is one that a person
opens again. Where the invoice goes by another name, that is a break of its own, which takes its age and, while it
differs as it did, its acceptance. Of several that saw an invoice the one of the latest moment counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json, execute_values

from include.reconciliation.categories import CATEGORY_WORDS, category_in_words
from include.reconciliation.item_result import other_result
from include.reconciliation.statements import statement
from include.status_store.rows import only_row

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# Who did what the program found by itself, in a break's history.
ITSELF = "reconciliation"
_STEPS = (
    "breaks_shown",
    "breaks_met",
    "breaks_opened",
    "breaks_renamed",
    "breaks_resolved",
    "breaks_seen_late",
)
# The invoice of a break under former_key, which no event or row bears any more, is invoice_key now: by this
# reconciliation, or (null) by an earlier one that its acceptance went with.
_KNOWN_AS = """
CREATE TEMP TABLE known_as (reconciliation_id bigint, former_key text, invoice_key text) ON COMMIT DROP
"""
_NAME_ACCEPTED = f"INSERT INTO known_as (former_key, invoice_key) {statement('names_accepted')}"


def commit_with_breaks(store: Connection, profile: Profile) -> None:
    """Commit the reconciliations that were recorded, and then, in a transaction of their own, work their breaks in.

    A comparison shows one moment, in one snapshot; a break must know its newest state, whoever wrote it. Where the
    process dies between the two, the next reconciliation of the profile works in what waits.

    :param store: in the transaction that recorded; in none at the end.
    """
    store.commit()
    with store.cursor() as cursor:
        work_in(cursor, profile)
    store.commit()


def hold_breaks(cursor: Cursor, profile: Profile) -> None:
    """Keep every other writer of the profile's breaks and sign-offs out until the transaction ends."""
    severity = profile.severity
    values = {
        "profile": profile.name,
        "timezone": profile.timezone,
        "medium_amount": severity.medium_amount,
        "high_amount": severity.high_amount,
        "medium_age_days": severity.medium_age_days,
        "high_age_days": severity.high_age_days,
    }
    cursor.execute(statement("break_policy"), values)


def work_in(cursor: Cursor, profile: Profile) -> None:
    """Work the breaks of every reconciliation of the profile that waits for it into the breaks across days.

    What they change in a signed period is flagged.

    :param cursor: in a transaction that sees what others commit (read committed). What was read of breaks before may be
        another thing after it.
    """
    hold_breaks(cursor, profile)
    cursor.execute(
        "DELETE FROM ropo.break_backlog WHERE profile = %s "
        "RETURNING reconciliation_id, out_of_scope, start_date, COALESCE(renamed, '[]')",
        (profile.name,),
    )
    waiting = sorted(cursor.fetchall(), key=lambda each: each[0])
    if not waiting:
        return
    # The sorts and joins of many stay in memory; for this transaction only.
    cursor.execute("SET LOCAL work_mem = '64MB'")
    values = {
        "profile": profile.name,
        "timezone": profile.timezone,
        "reconciliations": [each[0] for each in waiting],
        "events": [],
        "by": ITSELF,
    }
    cursor.execute(_KNOWN_AS)
    names = [(each[0], former, now) for each in waiting for former, now in each[-1]]
    execute_values(cursor, "INSERT INTO known_as (reconciliation_id, former_key, invoice_key) VALUES %s", names)
    cursor.execute(_NAME_ACCEPTED, values)
    for name in _STEPS:
        cursor.execute(statement(name), values)
    cursor.execute(statement("flag_results").format(other_result=other_result("was", "found")), values)
    cursor.execute(statement("flag_mended"), values | _category_words())
    _flag_breaks(cursor, values)
    cursor.execute("DROP TABLE renamed, fresh, shown, candidate, known_as")
    for reconciliation_id, invoices, start_date, _ in waiting:
        if invoices:
            left = {"reconciliation": reconciliation_id, "invoices": invoices, "start_date": start_date}
            cursor.execute(statement("breaks_out_of_scope"), values | left)


def has_waiting(cursor: Cursor, profile: Profile) -> bool:
    """Tell whether a reconciliation of the profile was recorded whose breaks are not worked in."""
    cursor.execute("SELECT EXISTS (SELECT FROM ropo.break_backlog WHERE profile = %s)", (profile.name,))
    return only_row(cursor) == (True,)


def open_again(cursor: Cursor, profile: str, break_ids: Collection[int], *, by: str, note: str) -> None:
    """Open accepted breaks again, as a person decides it. The signed periods that they touch are flagged.

    :param cursor: in a transaction in which every other writer of these breaks is kept out.
    :param profile: its name; of the breaks those of another one are left alone.
    :param by: who; ``note``: why.
    """
    values = {"profile": profile, "break_ids": list(break_ids), "by": by, "note": note}
    cursor.execute(_KNOWN_AS)
    cursor.execute(_NAME_ACCEPTED, values)
    cursor.execute(statement("reopen_breaks"), values)
    events = [event_id for (event_id,) in cursor.fetchall()]
    _flag_breaks(cursor, values | {"reconciliations": [], "events": events})
    cursor.execute("DROP TABLE known_as")


def _flag_breaks(cursor: Cursor, values: dict[str, Any]) -> None:
    flagging = statement("flag_breaks").format(months_touched=statement("months_touched"))
    cursor.execute(flagging, values | _category_words())


def _category_words() -> dict[str, Any]:
    """What the flags that people read call our categories."""
    return {"category_words": Json({name: category_in_words(name) for name in CATEGORY_WORDS})}
