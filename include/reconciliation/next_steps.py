"""What to do next about a difference, a sentence for people: of its category, or of a reason that needs another.

It is read by who keeps the books: what they cannot do themselves names whom to ask.
"""

from __future__ import annotations

_OF_CATEGORY = {
    "unparseable": (
        "On the page Polls read the row that waits; parse it again, or ask Ropo One's customer service what "
        "it says, then dismiss it with a note."
    ),
    "duplicate_in_ledger": (
        "Take the row that is wrong out of the ERP; where both are right, ask whoever looks after this "
        "deployment to leave one out of the ledger's SELECT."
    ),
    "ambiguous_match": "Correct jobid and invoice number in the ERP, so that one row carries both of this invoice.",
    "missing_in_ledger": (
        "Book the invoice in the ERP; where it is booked, ask whoever looks after this deployment why the "
        "ledger's SELECT leaves it out."
    ),
    "missing_in_ropo": "Ask Ropo One's customer service whether it has the invoice, and send it where it does not.",
    "unknown_status": (
        "Ask Ropo One's customer service what the code of its time line means, and whoever looks after this "
        "deployment to add it to the status map."
    ),
    "ledger_inconsistent": "Correct its amounts in the ERP: total is paid + discount + credited + open.",
    "status_conflict": (
        "Find out which side is right; correct the ERP, or ask Ropo One's customer service to correct theirs."
    ),
    "ledger_behind": "Book Ropo's payment in the ERP.",
    "ledger_ahead": (
        "Find out where the ERP's payment came from, and tell Ropo One's customer service of it, so that it "
        "collects no more."
    ),
    "amount_mismatch": (
        "Compare the payments one by one, and correct the booking that is wrong; where it is Ropo One's, ask "
        "its customer service to correct it."
    ),
}
_STATUS_ALONE = (
    "Correct its status in the ERP, so that it says what its amounts do; where it is right, ask whoever looks after "
    "this deployment to correct what the status map says of it."
)
_OF_REASON = {
    ("unparseable", "payment_without_amount"): "Ask Ropo One's customer service what was paid.",
    ("duplicate_in_ledger", "billnum_twice"): (
        "Take the wrong row out of the ERP; where all are right, let each carry its jobid there."
    ),
    ("missing_in_ledger", "row_gone"): (
        "Ask whoever looks after the ERP why its row is gone, and bring it back if it should be there."
    ),
    ("missing_in_ropo", "payment"): (
        "Ask Ropo One's customer service whether it has the invoice, and see how the ERP's payment came."
    ),
    ("missing_in_ropo", "paid_before_sending"): (
        "If it was paid before it was sent, see in the ERP that it is not sent any more, and accept this with a note; "
        "if it was sent, enter the day in the ERP, and ask Ropo One's customer service whether it has the invoice."
    ),
    ("missing_in_ropo", "end"): "Ask Ropo One's customer service whether it has the invoice, and to end it there too.",
    ("missing_in_ropo", "ended_before_sending"): (
        "If it was never sent, accept this with a note; if it was, enter the day in the ERP, and ask Ropo One's "
        "customer service whether it has the invoice, and to end it there too."
    ),
    ("unknown_status", "payment_type"): (
        "Ask Ropo One's customer service what the payment's type of its time line means, and whoever looks "
        "after this deployment to add it to the status map."
    ),
    ("unknown_status", "ledger_word"): (
        "Tell whoever looks after this deployment what the ledger's word means, and ask them to add it to "
        "the status map."
    ),
    ("ledger_inconsistent", "paid_but_open"): "Correct it in the ERP: it is either paid or open.",
    ("status_conflict", "ended_in_ropo"): (
        "End it in the ERP too, or ask Ropo One's customer service to take it up again."
    ),
    ("status_conflict", "ended_in_ledger"): (
        "Ask Ropo One's customer service to end it there too, or open it in the ERP again."
    ),
    ("ledger_behind", "discount"): "Book in the ERP the discount that Ropo One granted.",
    ("ledger_behind", "status_alone"): _STATUS_ALONE,
    ("ledger_behind", "closed_in_ropo"): (
        "Ask Ropo One's customer service what settled the rest; book that in the ERP, or let them open it again."
    ),
    ("ledger_behind", "stage"): (
        "Bring the ERP to Ropo's stage, and ask whoever looks after the ERP why it was not told."
    ),
    ("ledger_ahead", "still_collected"): (
        "Tell Ropo One's customer service what settled it (a credit note, or a payment by its other job), so that it "
        "collects no more."
    ),
    ("ledger_ahead", "taken_back"): (
        "Take it back in the ERP too; the time line shows what Ropo One took back, and when. The invoice is open again."
    ),
    ("ledger_ahead", "discount"): (
        "Ask Ropo One's customer service whether it granted the discount; where it did not, take it out of the ERP, or "
        "tell them of it, so that they collect no more."
    ),
    ("ledger_ahead", "status_alone"): _STATUS_ALONE,
    ("ledger_ahead", "stage"): (
        "See who took the step in the ERP; ask Ropo One's customer service to take it too, or correct the ERP."
    ),
    ("amount_mismatch", "taken_back"): "Book in the ERP what Ropo One took back; the time line shows when it did.",
    ("amount_mismatch", "overpaid_in_ropo"): (
        "Ask Ropo One's customer service what was paid beyond the total: what was paid twice is booked and paid back, "
        "a fee or interest booked as such; else correct the ERP's total."
    ),
    ("amount_mismatch", "overpaid_in_ledger"): "Look in the ERP for a payment booked twice, or a total that is wrong.",
    ("amount_mismatch", "booked_otherwise"): "Book as a discount in the ERP what is one at Ropo One, the rest as paid.",
    ("amount_mismatch", "discounts"): "Compare the discount with the one that Ropo One granted, and correct the ERP's.",
}


def next_step(category: str, reason: str | None, hint: str | None = None) -> str:
    """Return what to do next about a difference, as a sentence or two.

    :param category: any but ``matched``.
    :param hint: a near miss of the invoice's number on the other side, such as "the ledger has INV-12": it comes first,
        since an invoice that is there under another number must not be booked again.
    """
    step = _OF_REASON.get((category, reason or ""), _OF_CATEGORY[category])
    if hint is None:
        return step
    near = hint[:1].upper() + hint[1:]
    return f"{near}: if that is this invoice, correct its number in the ERP, and nothing else. Otherwise: {step}"
