"""What to do next about a difference, a sentence for people: of its category, or of a reason that needs another."""

from __future__ import annotations

_OF_CATEGORY = {
    "unparseable": "On the page Polls read the row that waits; parse it again, or dismiss it with a note.",
    "duplicate_in_ledger": "Take the row that is wrong out of the ledger, or out of its SELECT.",
    "ambiguous_match": "Correct jobid and invoice number in the ledger, so that one row carries both of this invoice.",
    "missing_in_ledger": "Book the invoice in the ERP; where it is booked, see why the ledger's SELECT leaves it out.",
    "missing_in_ropo": "Ask Ropo One whether it has the invoice, and send it where it does not.",
    "unknown_status": "Have the code of its time line added to the status map, with what it means.",
    "ledger_inconsistent": "Correct its amounts in the ERP: total is paid + discount + credited + open.",
    "status_conflict": "Find out which side is right, and have the other one corrected.",
    "ledger_behind": "Book Ropo's payment in the ERP.",
    "ledger_ahead": "Find out where the ERP's payment came from, and tell Ropo One of it, so that it collects no more.",
    "amount_mismatch": "Compare the payments one by one, and correct the booking that is wrong.",
}
_OF_REASON = {
    ("unparseable", "payment_without_amount"): "Ask Ropo One what was paid.",
    ("duplicate_in_ledger", "billnum_twice"): "Take the wrong row out; where all are right, let each carry its jobid.",
    ("missing_in_ledger", "row_gone"): "Find out why the ledger's row is gone, and bring it back if it should be.",
    ("missing_in_ropo", "payment"): "Ask Ropo One whether it has the invoice, and see how the ERP's payment came.",
    ("missing_in_ropo", "end"): "Ask Ropo One whether it has the invoice, and have it ended there too.",
    ("unknown_status", "payment_type"): "Have the payment's type of its time line added to the status map.",
    ("unknown_status", "ledger_word"): "Have the ledger's word added to the status map, with what it means.",
    ("ledger_inconsistent", "paid_but_open"): "Correct it in the ERP: it is either paid or open.",
    ("status_conflict", "ended_in_ropo"): "End it in the ERP too, or have Ropo One take it up again.",
    ("status_conflict", "ended_in_ledger"): "Have it ended at Ropo One too, or open it in the ERP again.",
    ("ledger_behind", "stage"): "Bring the ERP to Ropo's stage, and see why it was not told.",
    ("ledger_ahead", "stage"): "See who took the step at the ERP, and have Ropo One take it, or correct the ERP.",
    ("amount_mismatch", "overpaid_in_ropo"): "See whether the debtor paid twice, or the ERP's total is wrong.",
    ("amount_mismatch", "overpaid_in_ledger"): "Look in the ERP for a payment booked twice, or a total that is wrong.",
    ("amount_mismatch", "booked_otherwise"): "Book as a discount in the ERP what is one at Ropo One, the rest as paid.",
    ("amount_mismatch", "discounts"): "Compare the discount with the one that Ropo One granted, and correct the ERP's.",
}


def next_step(category: str, reason: str | None) -> str:
    """Return what to do next about a difference, as a sentence.

    :param category: any but ``matched``.
    """
    return _OF_REASON.get((category, reason or ""), _OF_CATEGORY[category])
