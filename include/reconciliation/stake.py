"""Whether it is known what is at stake in a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

NOT_KNOWN = "an amount not known"


def is_stake_known(category: str, amount: Decimal) -> bool:
    """Tell whether an amount at stake says anything, as ``ropo.is_stake_known`` does in the store.

    Ropo One names no invoice's total: of one that the ledger lacks, and that nobody has paid, no amount is known.

    :param amount: as ``ropo.amount_at_stake`` gives it, 0 where it knows none.
    """
    return category != "missing_in_ledger" or amount != 0
