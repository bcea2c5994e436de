"""The words and signs that the page uses: no state is told by colour alone."""

from __future__ import annotations

VERDICT_WORDS = {
    "reconciled": "Reconciled",
    "pending": "Pending",
    "breaks": "Breaks",
    "incomplete": "Incomplete",
    "no_run": "No run",
}
VERDICT_SIGNS = {"reconciled": "✓", "pending": "◔", "breaks": "✕", "incomplete": "?", "no_run": "–"}
# Those whose name is no word already.
STATE_WORDS = {"partly_paid": "partly paid", "in_collection": "in collection"}
ITEM_STATES = {
    "differing": "All differences",
    "break": "Breaks",
    "pending": "Pending",
    "accepted": "Accepted",
    "matched": "Matched",
    "all": "All invoices",
}
# Of one invoice, and of several.
CHANGE_WORDS = {
    "new": ("differs now and did not", "differ now and did not"),
    "grace_over": ("is a break now, its grace is over", "are breaks now, their grace is over"),
    "reopened": ("was accepted and is open again", "were accepted and are open again"),
    "other_category": ("differs in another way", "differ in another way"),
    "changed": ("differs by other amounts or states", "differ by other amounts or states"),
    "accepted": ("was accepted since", "were accepted since"),
    "mended": ("no longer differs", "no longer differ"),
    "same": ("differs as it did", "differ as they did"),
}
BREAK_STATES = {"open": "Open", "accepted": "Accepted", "resolved": "Resolved"}
BREAK_EVENTS = {
    "opened": "opened",
    "changed": "changed",
    "accepted": "accepted",
    "reopened": "opened again",
    "resolved": "resolved",
    "commented": "commented",
}
OUTCOME_WORDS = {
    "landed": "landed",
    # Of the queue: that it is empty. Of a date or an invoice: that Ropo One has no change of it.
    "empty": "nothing more (204)",
    # Under way, or left open by a process that died: the journal tells which.
    "open": "not ended",
    "unsent": "not sent",
    "refused": "refused",
    "in_doubt": "in doubt",
}
PAYMENT_WORDS = {"paid": "money received", "discount": "cash discount", "ignore": "left out by the status map"}
