"""The check of one invoice takes each number that the store does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import ParamValidationError

from include.status_store.fields import LONGEST_ID

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


def test_it_takes_a_number_as_long_as_the_store_keeps_and_no_longer(bag: DagBag) -> None:
    billnum = bag.dags["ropo_invoice_check"].params.get_param("billnum")
    assert billnum.resolve("7" * LONGEST_ID) == "7" * LONGEST_ID
    for refused in ("7" * (LONGEST_ID + 1), ""):
        with pytest.raises(ParamValidationError):
            billnum.resolve(refused)
