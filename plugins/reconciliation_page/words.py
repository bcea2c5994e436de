"""The words and signs that the page uses: no state is told by colour alone."""

from __future__ import annotations

VERDICT_WORDS = {
    "reconciled": "Reconciled",
    "pending": "Pending",
    "breaks": "Breaks",
    "incomplete": "Incomplete",
    "no_run": "No run",
}
VERDICT_SIGNS = {"reconciled": "✓", "pending": "◔", "breaks": "✕", "incomplete": "?", "no_run": ""}
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
CHANGE_WORDS = {
    "new": "differ now and did not",
    "grace_over": "are breaks now, their grace is over",
    "reopened": "were accepted and are open again",
    "other_category": "differ in another way",
    "changed": "differ by other amounts or states",
    "accepted": "were accepted since",
    "mended": "no longer differ",
    "same": "differ as they did",
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
    "empty": "queue empty (204)",
    "open": "under way",
    "unsent": "not sent",
    "refused": "refused",
    "in_doubt": "in doubt",
}
PAYMENT_WORDS = {"paid": "money received", "discount": "cash discount", "ignore": "left out by the status map"}
