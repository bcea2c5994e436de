"""The demo's ledger in a real PostgreSQL: right but for its known differences."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import pytest

from include.simulator.dataset import Dataset, make_dataset
from include.simulator.differences import WINDOW_DAYS
from include.simulator.ledger import plan_differences, seed_ledger
from tests.include.simulator.verdicts import categories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_airflow.embedded import Server

AS_OF = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
CAUSED_BY_A_LEDGER = {
    "missing_in_ledger",
    "missing_in_ropo",
    "duplicate_in_ledger",
    "ambiguous_match",
    "unknown_status",
    "ledger_inconsistent",
    "status_conflict",
    "ledger_behind",
    "ledger_ahead",
    "amount_mismatch",
}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """From forty days ago to ten days ahead, as the demo goes on living."""
    return make_dataset(7, date(2026, 10, 15), 50, scale=0.5)


@pytest.fixture
def erp(postgres: Server) -> Iterator[str]:
    name = postgres.fresh_database("erp")
    yield postgres.dsn(name)
    postgres.drop_database(name)


def generic_rows(dsn: str, repository: Path) -> list[dict[str, Any]]:
    query = (repository / "include/erp/generic.sql").read_text()
    with closing(psycopg2.connect(dsn)) as connection:
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute(query)
        return [dict(row) for row in cursor.fetchall()]


def rows_until(dataset: Dataset, as_of: datetime) -> list[dict[str, Any]]:
    return [queued.row for queued in dataset.rows if queued.recorded_at <= as_of]


@pytest.fixture
def repository(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.mark.parametrize("days_back", [0, 1, 2, 5, 9, 30])
def test_a_ledger_without_differences_agrees_with_ropo_at_any_moment(
    days_back: int, dataset: Dataset, erp: str, repository: Path
) -> None:
    as_of = AS_OF - timedelta(days=days_back, minutes=17 * days_back)
    assert seed_ledger(erp, dataset, [], as_of=as_of) == []
    found = categories(rows_until(dataset, as_of), generic_rows(erp, repository))
    unmapped = {i.billnum for i in dataset.invoices if any(fact.kind == "unmapped" for fact in i.facts)}
    assert {billnum for billnum, category in found.items() if category != "matched"} <= unmapped
    assert len(found) > 500


def test_the_differences_are_exactly_those_that_are_told(dataset: Dataset, erp: str, repository: Path) -> None:
    differences = seed_ledger(erp, dataset, as_of=AS_OF)
    found = categories(rows_until(dataset, AS_OF), generic_rows(erp, repository))
    assert {billnum: category for billnum, category in found.items() if category != "matched"} == {
        difference.billnum: difference.category for difference in differences
    }
    assert {difference.category for difference in differences} == CAUSED_BY_A_LEDGER
    assert len({difference.billnum for difference in differences}) == len(differences)


@pytest.mark.parametrize("per_category", [1, 3])
def test_there_are_as_many_of_each_category_as_asked_for(per_category: int, dataset: Dataset) -> None:
    counts = Counter(difference.category for difference in plan_differences(dataset, AS_OF, per_category))
    del counts["unknown_status"]
    assert counts.pop("ambiguous_match") == 2 * per_category
    assert set(counts.values()) == {per_category}


def test_differences_leave_several_of_the_last_days_spotless(dataset: Dataset) -> None:
    last_days = {AS_OF.date() - timedelta(days=back) for back in range(1, WINDOW_DAYS + 1)}
    touched = {day for difference in plan_differences(dataset, AS_OF) for day in difference.dates}
    assert 4 <= len(last_days & touched) <= 8
    assert all(difference.business_date == max(difference.dates) for difference in plan_differences(dataset, AS_OF))


def test_a_data_set_without_room_for_the_differences_is_refused() -> None:
    with pytest.raises(ValueError, match="give it more days or a larger scale"):
        plan_differences(make_dataset(1, date(2026, 11, 20), 4, 0.01), AS_OF)


def test_the_ledger_moves_on_with_the_same_differences(dataset: Dataset, erp: str, repository: Path) -> None:
    differences = seed_ledger(erp, dataset, as_of=AS_OF)
    later = AS_OF + timedelta(days=1)
    with closing(psycopg2.connect(erp)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ropo_ledger")
        [(before,)] = cursor.fetchall()
        # A reader's open transaction neither blocks it nor sees half of it.
        assert seed_ledger(erp, dataset, differences, as_of=later) == differences
        reader.rollback()
        cursor.execute("SELECT count(*) FROM ropo_ledger")
        [(after,)] = cursor.fetchall()
        assert after > before
    found = categories(rows_until(dataset, later), generic_rows(erp, repository))
    told = {difference.billnum for difference in differences}
    unmapped = {i.billnum for i in dataset.invoices if any(fact.kind == "unmapped" for fact in i.facts)}
    assert {billnum for billnum, category in found.items() if category != "matched"} <= told | unmapped


def test_seeding_again_writes_nothing(dataset: Dataset, erp: str) -> None:
    def versions() -> list[Any]:
        with closing(psycopg2.connect(erp)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT xmin::text, invoice_id FROM erp.invoice ORDER BY invoice_id")
            return cursor.fetchall()

    seed_ledger(erp, dataset, as_of=AS_OF)
    before = versions()
    seed_ledger(erp, dataset, as_of=AS_OF)
    assert versions() == before


def test_the_moment_needs_a_zone(dataset: Dataset, erp: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        seed_ledger(erp, dataset, as_of=AS_OF.replace(tzinfo=None))
