"""Of which differences it is known what is at stake, is said by the program and by the store alike."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from include.reconciliation.categories import CATEGORIES
from include.reconciliation.stake import is_stake_known

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

_ASKED = "SELECT ropo.is_stake_known(%s, %s)"


def test_of_what_the_ledger_lacks_and_nobody_paid_no_amount_is_known(store: Connection) -> None:
    unknown = set()
    with store.cursor() as cursor:
        for category in CATEGORIES:
            for amount in (Decimal(0), Decimal("0.00"), Decimal("1.50")):
                cursor.execute(_ASKED, (category, amount))
                assert cursor.fetchone() == (is_stake_known(category, amount),)
                if not is_stake_known(category, amount):
                    unknown.add((category, str(amount)))
    assert unknown == {("missing_in_ledger", "0"), ("missing_in_ledger", "0.00")}
