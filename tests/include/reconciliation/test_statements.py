"""What the SQL files share by their texts alone is the same in each of them."""

from __future__ import annotations

import re

from include.page_data import statements as of_the_page
from include.reconciliation.statements import statement


def test_an_item_has_another_result_by_the_same_columns_wherever_that_is_asked() -> None:
    # What an invoice is found by is no result of it.
    keys = {"invoice_key", "key_now"}
    changed, flagged = (
        {*re.findall(r"\bwas\.(\w+)", statement(name))} - keys for name in ("changed_items", "flag_results")
    )
    shown = {*re.findall(r"\bearlier\.(\w+)", of_the_page.statement("changes"))} - {"invoice_key"}
    assert "ledger_open" in changed
    assert flagged == changed
    # The page tells a changed category, and one whose grace is over, apart.
    assert {name.replace("is_pending", "pending_until") for name in shown} == changed
