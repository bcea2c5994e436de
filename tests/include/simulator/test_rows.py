from __future__ import annotations

import pytest

from include.simulator.rows import FIELDS, bulk_rows, make_row


def test_bulk_rows_have_ids_of_their_own_over_the_days_asked_for() -> None:
    rows = bulk_rows(25_000, days=5)
    assert len({row["statusid"] for row in rows}) == 25_000
    assert len({row["statustime"][:10] for row in rows}) == 5
    assert {tuple(row) for row in rows} == {FIELDS}


def test_a_row_takes_the_fields_that_are_said() -> None:
    row = make_row(5, statustype="payment", amount="-3.00")
    assert (row["statusid"], row["amount"], row["statustext"], row["statuscode"]) == ("P5", "-3.00", "1", "")


def test_a_row_refuses_a_field_that_ropo_does_not_send() -> None:
    with pytest.raises(ValueError, match="colour"):
        make_row(colour="red")
