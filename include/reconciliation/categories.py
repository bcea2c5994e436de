"""The categories of the comparison, and what their reasons mean in words for people."""

from __future__ import annotations

from include.config.wording import grouped

# In the order in which they are tried; each invoice gets the first that fits.
CATEGORY_WORDS = {
    "unparseable": "Unparseable",
    "duplicate_in_ledger": "Twice in the ledger",
    "ambiguous_match": "Ambiguous match",
    "missing_in_ledger": "Missing in the ledger",
    "missing_in_ropo": "Missing at Ropo One",
    "unknown_status": "Unknown status",
    "ledger_inconsistent": "Ledger inconsistent",
    "status_conflict": "Status conflict",
    "ledger_behind": "Ledger behind",
    "ledger_ahead": "Ledger ahead",
    "amount_mismatch": "Amounts differ",
    "matched": "Matched",
}
# What is said of invoices of a category after their number; where one is called otherwise than several, both.
_COUNTED_WORDS = {
    "unparseable": ("unparseable",),
    "duplicate_in_ledger": ("twice in the ledger",),
    "ambiguous_match": ("ambiguous match", "ambiguous matches"),
    "missing_in_ledger": ("missing in the ledger",),
    "missing_in_ropo": ("missing at Ropo One",),
    "unknown_status": ("unknown status", "unknown statuses"),
    "ledger_inconsistent": ("inconsistent in the ledger",),
    "status_conflict": ("status conflict", "status conflicts"),
    "ledger_behind": ("behind in the ledger",),
    "ledger_ahead": ("ahead in the ledger",),
    "amount_mismatch": ("with amounts that differ",),
}
CATEGORIES = tuple(CATEGORY_WORDS)
MATCHED = "matched"

REASONS = {
    ("unparseable", "row_in_quarantine"): "a row of this invoice could not be read and waits in quarantine",
    ("unparseable", "payment_without_amount"): "Ropo names a payment without an amount",
    ("duplicate_in_ledger", "jobid_twice"): "the ledger has several rows with this jobid",
    ("duplicate_in_ledger", "billnum_twice"): "the ledger has several rows with this invoice number and no jobid",
    ("ambiguous_match", "several_rows"): "its jobid and its invoice number lead to different rows of the ledger",
    ("ambiguous_match", "keys_lead_apart"): "the ledger pairs a jobid and an invoice number that Ropo knows apart",
    ("ambiguous_match", "row_of_another"): "the ledger's row with this number carries the jobid of another invoice",
    ("missing_in_ledger", "no_row"): "Ropo speaks of it, and the ledger has no row for it",
    ("missing_in_ledger", "row_gone"): "an earlier reconciliation saw it; now neither the ledger nor Ropo knows it",
    ("missing_in_ropo", "payment"): "the ledger shows a payment, and Ropo has never spoken of the invoice",
    ("missing_in_ropo", "paid_before_sending"): (
        "the ledger shows a payment and no day of sending, and Ropo has never spoken of it"
    ),
    ("missing_in_ropo", "end"): "it has ended in the ledger, and Ropo has never spoken of it",
    ("missing_in_ropo", "ended_before_sending"): (
        "it has ended in the ledger, which shows no day of sending, and Ropo has never spoken of it"
    ),
    ("missing_in_ropo", "first_event_overdue"): "it was sent long ago, and Ropo has never spoken of it",
    ("unknown_status", "payment_type"): "a payment has a type that the status map lacks, so its sums are not known",
    ("unknown_status", "code"): "its newest code is one that the status map lacks",
    ("unknown_status", "ledger_word"): "the ledger's status word is one that the status map lacks",
    ("ledger_inconsistent", "paid_but_open"): "the ledger calls it paid and shows something open",
    ("ledger_inconsistent", "amounts_do_not_add_up"): "its total is not paid + discount + credited + open",
    ("status_conflict", "ends_differ"): "it has ended differently on the two sides",
    ("status_conflict", "ended_in_ropo_paid_in_ledger"): "it has ended at Ropo and is paid in the ledger",
    ("status_conflict", "ended_in_ledger_paid_in_ropo"): "it has ended in the ledger and is paid at Ropo",
    ("status_conflict", "ended_in_ropo"): "it has ended at Ropo only",
    ("status_conflict", "ended_in_ledger"): "it has ended in the ledger only",
    ("ledger_behind", "payment"): "Ropo is further in payment",
    ("ledger_behind", "discount"): "Ropo has a discount that the ledger has not, and no more payments",
    ("ledger_behind", "status_alone"): "the ledger's amounts are as far as Ropo; its status alone is behind",
    ("ledger_behind", "closed_in_ropo"): (
        "Ropo calls it paid, and has no more payments or discounts than the ledger, where something is open"
    ),
    ("ledger_behind", "stage"): "Ropo is at a later stage",
    ("ledger_ahead", "payment"): "the ledger is further in payment",
    ("ledger_ahead", "still_collected"): "it is settled in the ledger, and Ropo has gone on collecting since",
    ("ledger_ahead", "taken_back"): "Ropo took a payment or a discount back that the ledger still has",
    ("ledger_ahead", "discount"): "the ledger has a discount that Ropo has not, and no more payments",
    ("ledger_ahead", "status_alone"): "by the ledger's amounts nothing was paid; its status alone is ahead",
    ("ledger_ahead", "stage"): "the ledger is at a later stage",
    ("amount_mismatch", "taken_back"): "Ropo took money back that the ledger still has as paid",
    ("amount_mismatch", "overpaid_in_ropo"): "more was paid than is to be paid, by Ropo's sums alone",
    ("amount_mismatch", "overpaid_in_ledger"): "more was paid than is to be paid, by the ledger's sums alone",
    ("amount_mismatch", "booked_otherwise"): "the sums agree, but not what of them is discount",
    ("amount_mismatch", "payments_and_discounts"): "payments and discounts differ",
    ("amount_mismatch", "payments"): "payments differ",
    ("amount_mismatch", "discounts"): "discounts differ",
    (MATCHED, "never_spoken_of"): "Ropo has never spoken of it, and need not have",
    (MATCHED, "never_known"): "a row in quarantine named it; that row is settled, and neither side knows the invoice",
    (MATCHED, "credit_note"): "a total of zero or less, compared by existence and end alone",
    (MATCHED, "print_service"): "paid to the sender's own account, so that payments are not compared",
}


def category_in_words(category: str) -> str:
    """Return a category within a sentence for people."""
    words = CATEGORY_WORDS[category]
    return words[0].lower() + words[1:]


def counted_category(category: str, number: int) -> str:
    """Return how many invoices have a category of differences, for people: 1 status conflict, 2 status conflicts."""
    words = _COUNTED_WORDS[category]
    return f"{grouped(number)} {words[0] if number == 1 else words[-1]}"


def reason_in_words(category: str, reason: str | None) -> str:
    """Return why an invoice is in its category, as a clause for people; "both sides agree" where nothing is to say."""
    return "both sides agree" if reason is None else REASONS[category, reason]
