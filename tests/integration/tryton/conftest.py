"""A Tryton of these tests' own, started once; each test has invoices of its own in it, and an empty store."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from demo.tryton import client
from demo.tryton.ledger import open_books
from include.config.profiles import Ledger, Profile
from include.config.status_map import load_status_map
from local_airflow.paths import airflow_home
from tests.include.reconciliation.world import STATUS_MAP
from tests.integration.tryton.books import Books
from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.embedded import Server

ERP = Path(__file__).parents[3] / "include" / "erp"
DATABASE = "tryton_stories"


@pytest.fixture(scope="session")
def tryton_python() -> Path:
    """Tryton's environment, kept from one test run to the next."""
    try:
        return client.environment(airflow_home())
    except client.TrytonError as error:
        missing(f"Tryton's packages cannot be installed: {error}")


@pytest.fixture(scope="session")
def tryton(postgres: Server, tryton_python: Path) -> Iterator[client.Tryton]:
    """A running Tryton with the books of a company in it."""
    # The year of the stories, and the present one: Tryton cancels at the machine's date.
    years = (2026, datetime.datetime.now(datetime.UTC).year)
    open_books(postgres, DATABASE, tryton_python, first_year=min(years), last_year=max(years))
    with client.running(postgres, DATABASE, tryton_python) as running:
        yield running


@pytest.fixture
def books(postgres: Server, tryton: client.Tryton, store_dsn: str) -> Books:
    """Tryton, what Ropo says of its invoices, and the reconciliation of the two."""
    profile = Profile(name="default", grace_business_days=0, ledger=Ledger(query=ERP / "tryton.sql"))
    words = load_status_map(ERP / "tryton_status_map.yaml").ledger
    status_map = msgspec.structs.replace(STATUS_MAP, ledger=words)
    return Books(store_dsn, postgres.dsn(DATABASE, client.READER), profile, tryton=tryton, status_map=status_map)
