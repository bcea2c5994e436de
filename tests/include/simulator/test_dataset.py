from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from include.simulator.dataset import Dataset, make_dataset
from include.simulator.rows import FIELDS

FIRST_DAY = date(2026, 10, 5)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return make_dataset(7, FIRST_DAY, 30)


def local_time(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["statustime"])


def test_equal_arguments_give_equal_data(dataset: Dataset) -> None:
    assert make_dataset(7, FIRST_DAY, 30) == dataset


def test_another_seed_gives_other_data(dataset: Dataset) -> None:
    assert make_dataset(8, FIRST_DAY, 30).rows != dataset.rows


def test_thirty_days_hold_about_fifteen_thousand_changes_and_one_day_more_than_two_thousand(dataset: Dataset) -> None:
    a_day = Counter(queued.row["statustime"][:10] for queued in dataset.rows)
    assert 12_000 < len(dataset.rows) < 20_000
    assert max(a_day.values()) > 2_000
    assert min(a_day.values()) < 60
    assert len(a_day) == 30


def test_weekdays_are_busier_than_weekends(dataset: Dataset) -> None:
    a_day = Counter(date.fromisoformat(queued.row["statustime"][:10]).weekday() >= 5 for queued in dataset.rows)
    assert a_day[False] / 5 > 5 * a_day[True] / 2


def test_each_row_has_the_documented_fields_and_an_id_of_its_own(dataset: Dataset) -> None:
    assert {tuple(queued.row) for queued in dataset.rows} == {FIELDS}
    assert len({queued.row["statusid"] for queued in dataset.rows}) == len(dataset.rows)
    assert {type(queued.row["jobid"]) for queued in dataset.rows} == {int, str}


def test_payments_and_comments_are_filled_as_in_the_recorded_answer(dataset: Dataset) -> None:
    for queued in dataset.rows:
        row = queued.row
        if row["statustype"] == "payment":
            assert row["statusid"][0] == "P"
            assert (row["statuscode"], row["statustime"][10:]) == ("", " 00:00:00")
            assert row["statustext"] in ("1", "8")
            assert row["paydate"] == row["statustime"][:10]
            assert float(row["amount"])
        else:
            assert row["statusid"][0] == "C"
            assert (row["paydate"], row["amount"]) == ("", "")
            assert row["statuscode"].isdigit()


def test_rows_enter_the_queue_after_their_time_and_at_most_five_days_late(dataset: Dataset) -> None:
    zone = ZoneInfo("Europe/Helsinki")
    late_days: Counter[int] = Counter()
    for queued in dataset.rows:
        recorded = queued.recorded_at.astimezone(zone).replace(tzinfo=None)
        assert timedelta(0) <= recorded - local_time(queued.row) < timedelta(days=5)
        late_days[(recorded.date() - local_time(queued.row).date()).days] += 1
    assert set(late_days) == {0, 1, 2, 3, 4}
    assert [queued.recorded_at for queued in dataset.rows] == sorted(queued.recorded_at for queued in dataset.rows)


def test_every_documented_kind_of_change_occurs(dataset: Dataset) -> None:
    labels = Counter(queued.row["statusref"] for queued in dataset.rows)
    assert labels.keys() == {
        "Laskutettu", "Erääntynyt", "Maksumuistutus", "Perintä", "Hyvitetty", "Mitätöity",
        "Maksettu toimeksiantajalle", "Kassa-alennus", "Maksettu", "Viesti", "Selvittelyssä",
    }  # fmt: skip
    assert any("\n" in queued.row["statustext"] for queued in dataset.rows)
    assert any(queued.row["amount"].startswith("-") for queued in dataset.rows)
    assert {invoice.kind for invoice in dataset.invoices} == {"normal", "credit_note", "print_service", "draft"}
    assert any(invoice.earlier_jobid for invoice in dataset.invoices)
    assert any(invoice.total < 0 for invoice in dataset.invoices)


def test_several_rows_of_one_invoice_fall_on_one_day(dataset: Dataset) -> None:
    of_a_day = Counter((queued.row["billnum"], queued.row["statustime"][:10]) for queued in dataset.rows)
    assert max(of_a_day.values()) >= 3


def test_nothing_is_said_of_a_day_after_the_last(dataset: Dataset) -> None:
    assert max(queued.row["statustime"] for queued in dataset.rows) < str(dataset.end)
    assert min(queued.row["statustime"] for queued in dataset.rows) >= str(FIRST_DAY)


def test_a_reversal_never_becomes_known_before_its_payment(dataset: Dataset) -> None:
    for invoice in dataset.invoices:
        known = Decimal(0)
        for fact in invoice.facts:
            known += fact.amount or 0
            assert known >= 0


@pytest.mark.parametrize(("days", "scale", "unmapped_every"), [(0, 1.0, 7), (3, 0.0, 7), (3, 1.0, 0)])
def test_a_data_set_of_nothing_is_refused(days: int, scale: float, unmapped_every: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        make_dataset(1, FIRST_DAY, days, scale, unmapped_every=unmapped_every)


def test_the_smallest_data_set_is_made() -> None:
    assert make_dataset(1, FIRST_DAY, 1, 0.001).invoices
