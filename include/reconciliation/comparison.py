"""The comparison itself: population, match, states, categories, grace, in temporary tables of the store's session.

Its result is the temporary table ``comparison`` and, in words, the view ``item``: one row an invoice of the population.
They live until the transaction ends.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from psycopg2.extras import execute_values

from include.config.errors import ConfigurationError
from include.config.profiles import profiles_file
from include.config.status_map import COMMENT_TYPE, PAYMENT_TYPE, PAYMENTS, STAGES
from include.reconciliation.business_days import BusinessCalendar
from include.reconciliation.ledger import bare_number
from include.reconciliation.population import gather, name_earlier, name_quarantined, name_revised, want
from include.reconciliation.statements import statement

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.config.status_map import Meaning, StatusMap
    from include.reconciliation.ledger import LedgerReader
    from include.reconciliation.population import Seeds

# Near misses are looked up by a scan of the ledger and read by a person: more would help nobody.
HINTED_INVOICES = 500
_SPOKEN_OF = """
SELECT number
FROM unnest(%s::text[]) AS number
WHERE EXISTS (SELECT FROM ropo.status_event WHERE profile = %s AND billnum = number COLLATE "C")
"""
# The scratch tables stay in memory too, which is taken as they grow. A session in which PostgreSQL has read a temporary
# table before, such as one that a pooler hands on, keeps the room that it has.
_SCRATCH_IN_MEMORY = """
DO $$
BEGIN
    SET LOCAL temp_buffers = '256MB';
EXCEPTION WHEN invalid_parameter_value THEN NULL;
END $$
"""


def rules_version(profile: Profile, status_map: StatusMap) -> str:
    """Return a name for the rules that decide categories: where one of them changes, a date's result may be another."""
    tolerance = profile.amount_tolerance.normalize()
    return f"{status_map.version}, tolerance {tolerance:f}, first event in {profile.first_event_days} days"


def prepare(cursor: Cursor, status_map: StatusMap) -> None:
    """Begin a comparison: the transaction's isolation, the scratch tables, the status map.

    :param cursor: of the store, in no transaction yet.
    """
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    # The sorts and joins of a large day stay in memory; for this transaction only.
    cursor.execute("SET LOCAL work_mem = '64MB'")
    # The scratch tables are analysed for their sizes more than for their values: a tenth of the usual sample will do.
    cursor.execute("SET LOCAL default_statistics_target = 10")
    cursor.execute(_SCRATCH_IN_MEMORY)
    cursor.execute(statement("scratch"))
    codes: list[tuple[Any, ...]] = [
        (PAYMENT_TYPE, code, kind, None, None, None) for code, kind in status_map.payments.items()
    ]
    for statustype, meanings in {COMMENT_TYPE: {}, **status_map.events}.items():
        codes += [(statustype, code, None, *_places(meaning)) for code, meaning in meanings.items()]
    words = [(word, *_places(meaning)) for word, meaning in status_map.ledger.items()]
    if codes:
        execute_values(
            cursor, "INSERT INTO code_meaning (statustype, code, kind, payment, stage, part_end) VALUES %s", codes
        )
    if words:
        execute_values(cursor, "INSERT INTO word_meaning (status, payment, stage, part_end) VALUES %s", words)


def compare(
    cursor: Cursor,
    ledger: LedgerReader,
    profile: Profile,
    seeds: Seeds,
    *,
    now: datetime.datetime,
    start: datetime.date | None,
) -> None:
    """Compare every invoice of a population, as both sides stand now.

    The populations of several dates are compared at once; ``member`` says which invoice belongs to which of them.

    :param cursor: after :func:`prepare`; invoices named beforehand belong to the population too.
    :param now: aware; what the run calls now.
    :param start: invoices sent before this business date are out of scope; None: none is.
    :raises LedgerContractError: if a row of the ledger does not keep the contract.
    :raises ConfigurationError: if nobody knows the public holidays of the profile's country.
    """
    # The public holidays take half a second to load, in which PostgreSQL may work.
    with ThreadPoolExecutor(max_workers=1) as helper:
        loading = helper.submit(_calendar, profile)
        want(cursor, seeds)
        if seeds.dates:
            name_earlier(cursor, profile)
            name_revised(cursor, profile)
        name_quarantined(cursor, profile, seeds)
        gather(cursor, ledger, profile, seeds)
        start_of_interest = profile.midnight(start) if start else "-infinity"
        values = {
            "profile": profile.name,
            "timezone": profile.timezone,
            "everything": seeds.everything,
            "start": start_of_interest,
        }
        cursor.execute(statement("match"), values)
        cursor.execute(statement("states"))
        parameters = {
            "profile": profile.name,
            "tolerance": profile.amount_tolerance,
            "first_event_days": profile.first_event_days,
            "currency": profile.currency,
            "now": now,
        }
        cursor.execute(statement("compare"), parameters)
        cursor.execute(statement("further"), {})
        _hint(cursor, ledger, profile)
        _grant_grace(cursor, profile, now, loading.result())
    cursor.execute(statement("items"), {"payments": list(PAYMENTS), "stages": list(STAGES)})
    cursor.execute(statement("mark_accepted"), {"profile": profile.name})


def _calendar(profile: Profile) -> BusinessCalendar:
    try:
        return BusinessCalendar(profile.country, profile.zone)
    except ValueError as error:
        raise ConfigurationError(profiles_file(), f"profile '{profile.name}', key 'country'", str(error)) from error


def _places(meaning: Meaning) -> tuple[int | None, int | None, str | None]:
    return (
        None if meaning.payment is None else PAYMENTS.index(meaning.payment),
        None if meaning.stage is None else STAGES.index(meaning.stage),
        meaning.end,
    )


def _hint(cursor: Cursor, ledger: LedgerReader, profile: Profile) -> None:
    """Name the ledger's near misses of invoices that it lacks; they are never matched.

    A number that Ropo One speaks of is an invoice of its own, and nobody's near miss.
    """
    cursor.execute(
        "SELECT invoice_key, billnum, event_count > 0 "
        "FROM comparison WHERE category = 'missing_in_ledger' AND billnum IS NOT NULL "
        "ORDER BY invoice_key LIMIT %s",
        (HINTED_INVOICES,),
    )
    missing: list[tuple[str, str, bool]] = cursor.fetchall()
    if not missing:
        return
    misses = list(ledger.near_misses([billnum for _, billnum, _ in missing]))
    cursor.execute(_SPOKEN_OF, ([number for _, number in misses], profile.name))
    spoken_of = {number for (number,) in cursor.fetchall()}
    near: dict[str, list[str]] = {}
    for bare, number in misses:
        if number not in spoken_of:
            near.setdefault(bare, []).append(number)
    hints = [
        (key, "the ledger has " + ", ".join(sorted(near[bare_number(billnum)])))
        for key, billnum, _ in missing
        if bare_number(billnum) in near
    ]
    # The other side of the same near miss, where it is in the population too.
    others = [
        (number, f"Ropo has {billnum}")
        for _, billnum, is_spoken_of in missing
        if is_spoken_of
        for number in near.get(bare_number(billnum), ())
    ]
    _write_hints(cursor, "hint_missing", hints)
    _write_hints(cursor, "hint_unspoken", others)


def _write_hints(cursor: Cursor, name: str, hints: list[tuple[str, str]]) -> None:
    if hints:
        execute_values(cursor, statement(name), hints)


def _grant_grace(cursor: Cursor, profile: Profile, now: datetime.datetime, calendar: BusinessCalendar) -> None:
    cursor.execute(statement("grace_from"), {"profile": profile.name, "timezone": profile.timezone, "now": now})
    cursor.execute("SELECT DISTINCT grace_from FROM comparison WHERE grace_from IS NOT NULL")
    ends = [(start, calendar.grace_end(start, profile.grace_business_days)) for (start,) in cursor.fetchall()]
    if ends:
        cursor.execute("CREATE TEMP TABLE grace (grace_from timestamptz, grace_until timestamptz) ON COMMIT DROP")
        execute_values(cursor, "INSERT INTO grace (grace_from, grace_until) VALUES %s", ends)
        cursor.execute(statement("grace_until"), {"now": now})
