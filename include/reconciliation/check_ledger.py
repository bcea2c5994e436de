"""Checks an ERP's SELECT on the live ledger: ``python -m include.reconciliation.check_ledger [--profile NAME]``.

Columns, types, nulls, duplicates, amounts, statuses that the map lacks, and a sample of the invoices that Ropo spoke
of: all that a first reconciliation would stumble over, before any DAG runs. Nothing is written; the ledger is read in
one read-only transaction, in one pass in its own database. Exit code 1 where the contract is not kept.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import psycopg2

from include.config.errors import ConfigurationError
from include.config.status_map import load_status_map
from include.config.wording import counted
from include.reconciliation.ledger import LedgerReader
from include.reconciliation.ledger_contract import CONTRACT_FILE, LedgerContractError
from include.reconciliation.ledger_findings import Finding, findings, known_invoices
from include.reconciliation.sides import LedgerUnavailableError, connect_ledger
from include.status_store.airflow_connection import ConnectionInvalidError, dsn_from_environment
from include.status_store.command_line import add_profile, ended_by_interrupts, profiles, whole_number
from include.status_store.database import (
    STORE_VARIABLE,
    StoreUnavailableError,
    connect,
    first_line,
    store_dsn_from_environment,
)
from include.status_store.migrate import require_current

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile

SAMPLE = 200
TIMEOUT_SECONDS = 600
# Who waits for a person's answer wants to know what for.
LOCKED_SECONDS = 30


def check(profile: Profile, *, sample: int = SAMPLE, timeout_seconds: int = TIMEOUT_SECONDS) -> Iterator[Finding]:
    """Check a profile's ledger.

    :param sample: how many invoices of the store are looked for.
    :param timeout_seconds: after which the ledger's database gives a statement up.
    :raises ConnectionInvalidError: if the ledger is not named, or by what is no connection of a PostgreSQL.
    :raises LedgerUnavailableError: if the ledger cannot be reached.
    :raises ConfigurationError: if the status map is at fault.
    """
    status_map = load_status_map(profile.status_map)
    without = None
    known: list[tuple[str | None, str | None]] | None = None
    if sample and os.environ.get(STORE_VARIABLE):
        try:
            known = _known(profile, sample)
        except (ConfigurationError, ConnectionInvalidError, StoreUnavailableError) as error:
            without = Finding("WRONG", "sample", f"no invoice known to Ropo was looked for: {error}")
        except psycopg2.Error as error:
            text = f"no invoice known to Ropo was looked for: the store refuses it: {first_line(error)}"
            without = Finding("WRONG", "sample", text)
    elif sample:
        without = Finding("note", "sample", f"{STORE_VARIABLE} is not set: no invoice known to Ropo was looked for")
    with closing(_ledger(profile, timeout_seconds)) as connection:
        try:
            yield from findings(LedgerReader(connection, profile), status_map, known)
        except LedgerContractError as error:
            yield Finding("WRONG", "columns", error.problem)
        except psycopg2.errors.LockNotAvailable:
            text = f"another session of the ledger's database has held a table of the SELECT for {LOCKED_SECONDS} s"
            yield Finding("WRONG", "lock", f"{text}, such as the ERP's loader; check it again when that is done")
        except psycopg2.errors.QueryCanceled:
            text = f"the SELECT takes more than {timeout_seconds} s over all rows; see the indexes in {CONTRACT_FILE}"
            yield Finding("WRONG", "time", text)
        except psycopg2.Error as error:  # a row that the SELECT itself stumbles over, a missing right on a table
            yield Finding("WRONG", "rows", f"PostgreSQL cannot give them: {first_line(error)}")
    if without:
        yield without


def _known(profile: Profile, sample: int) -> list[tuple[str | None, str | None]]:
    with closing(connect(store_dsn_from_environment())) as store:
        require_current(store)
        return known_invoices(store, profile, sample)


def _ledger(profile: Profile, timeout_seconds: int) -> Connection:
    variable = f"AIRFLOW_CONN_{profile.ledger.connection.upper()}"
    dsn = dsn_from_environment(variable, f"the ledger of profile {profile.name}")
    connection = connect_ledger(dsn, profile, longest=datetime.timedelta(seconds=timeout_seconds))
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCKED_SECONDS}s'")
    # Else a SELECT whose reader was stopped would go on for as long as it takes. Not every server can look.
    with suppress(psycopg2.Error), connection, connection.cursor() as cursor:
        cursor.execute("SET client_connection_check_interval = '1s'")
    return connection


def _lines(found: Finding) -> Iterator[str]:
    first, *more = found.text.split("\n")
    yield f"  {found.level:<6} {found.subject:<14} {first}"
    for line in more:
        yield f"{'':24}{line}"


def _wrong(profile: Profile, options: argparse.Namespace) -> int | None:
    """Check a profile's ledger, and say what is found.

    :return: in how many points the contract is not kept; None where something that is needed for it is not to be had:
        the other profiles may have ledgers of their own.
    """
    ledger = profile.ledger
    sys.stdout.write(f"Profile {profile.name}: connection {ledger.connection}, query {ledger.query}\n")
    wrong = 0
    try:
        for found in check(profile, sample=options.sample, timeout_seconds=options.timeout):
            wrong += found.level == "WRONG"
            sys.stdout.writelines(f"{line}\n" for line in _lines(found))
            sys.stdout.flush()
    except (ConfigurationError, ConnectionInvalidError, LedgerUnavailableError, StoreUnavailableError) as error:
        sys.stdout.flush()  # the error stands under its profile, wherever both go
        sys.stderr.write(f"{error}\n")
        return None
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the ledger of every profile, or of one, and say what is found."""
    parser = argparse.ArgumentParser(prog="python -m include.reconciliation.check_ledger", description=__doc__)
    add_profile(parser)
    text = "invoices known to Ropo to look for (%(default)s)"
    parser.add_argument("--sample", type=whole_number(0, 1_000_000), default=SAMPLE, help=text)
    text = "seconds for a statement (%(default)s)"
    parser.add_argument("--timeout", type=whole_number(1, 86_400), default=TIMEOUT_SECONDS, help=text)
    options = parser.parse_args(arguments)
    try:
        chosen = profiles(options)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with ended_by_interrupts():
        found = [_wrong(profile, options) for profile in chosen]
    unchecked = found.count(None)
    wrong = sum(filter(None, found))
    if unchecked == len(found):
        return 1
    if unchecked:
        sys.stderr.write(f"{unchecked} of {len(found)} profiles could not be checked.\n")
    verdict = f"The contract is not kept in {counted(wrong, 'point')}" if wrong else "The contract is kept"
    sys.stdout.write(f"{verdict}; it stands in {CONTRACT_FILE}.\n")
    return 1 if wrong or unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
