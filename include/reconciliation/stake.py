"""What is at stake in a difference, and whether that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.config.wording import grouped_money

if TYPE_CHECKING:
    from decimal import Decimal


def is_stake_known(category: str, amount: Decimal) -> bool:
    """Tell whether an amount at stake says anything, as ``ropo.is_stake_known`` does in the store.

    Ropo One names no invoice's total: of one that the ledger lacks, and that nobody has paid, no amount is known.

    :param amount: as ``ropo.amount_at_stake`` gives it, 0 where it knows none.
    """
    return category != "missing_in_ledger" or amount != 0


def stake_in_words(category: str, amount: Decimal, currency: str) -> str:
    """Return what is at stake as a sentence has it.

    :param amount: as ``ropo.amount_at_stake`` gives it.
    """
    return f"{grouped_money(amount)} {currency}" if is_stake_known(category, amount) else "an amount not known"
