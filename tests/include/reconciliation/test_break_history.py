"""What the program wrote into a break's history is told in words, and what a person wrote as it stands there."""

from __future__ import annotations

import pytest

from include.reconciliation.break_history import event_in_words
from include.reconciliation.break_states import ITSELF
from include.reconciliation.categories import CATEGORIES, reason_in_words

ONE, OTHER = (f"1 rows with codes not in the map ({digest}), 0 in all" for digest in ("c1b13df7", "dce4a026"))
TWO = "2 rows with codes not in the map (dce4a026), 9.50 in all"


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (None, None),
        ("it is back", "it is back"),
        ("the invoice is right", "the invoice is right"),
        ("it is amount_mismatch now", "it differs otherwise now: amounts differ"),
        ("it is known_to_nobody now", "it is known_to_nobody now"),
        ("the invoice is known as b:Y now", "it is known as invoice Y now"),
        ("the invoice is known as j:J2 now", "it is known as job J2 now"),
        ("paid in the ledger from 0.00 to 10.00", "paid in the ledger from 0.00 to 10.00"),
        (
            "row_count in the ledger from 1 to 2, stage at Ropo One from in_collection to none",
            "rows in the ledger from 1 to 2, stage at Ropo One from in collection to none",
        ),
        (
            "status in the ledger from unpaid to partly_paid, word in the ledger from in_collection to Teilweise",
            "status in the ledger from unpaid to partly paid, the ledger's own word from in_collection to Teilweise",
        ),
        (
            f"further from {ONE} to {TWO}, stage at Ropo One from due to reminded",
            "what differs besides from 1 row with a code not in the status map to 2 rows with codes not in the status "
            "map, 9.50 in all, stage at Ropo One from due to reminded",
        ),
        (f"further from none to {ONE}", "what differs besides from none to 1 row with a code not in the status map"),
        (
            f"further from {ONE} to {OTHER}",
            "what differs besides from 1 row with a code not in the status map to 1 row with another code not in it",
        ),
        (
            "currency from EUR to SEK, reason from payment to closed_in_ropo",
            f"currency from EUR to SEK, reason from “{reason_in_words('ledger_behind', 'payment')}” to "
            f"“{reason_in_words('ledger_behind', 'closed_in_ropo')}”",
        ),
        ("reason from none to payment", f"reason from none to “{reason_in_words('ledger_behind', 'payment')}”"),
        # One that an earlier version had.
        ("reason from gone to payment", f"reason from gone to “{reason_in_words('ledger_behind', 'payment')}”"),
    ],
)
def test_what_the_program_noted_is_told_in_words(note: str | None, told: str | None) -> None:
    assert event_in_words("changed", ITSELF, note, "ledger_behind") == (ITSELF, told)


@pytest.mark.parametrize("note", ["it is amount_mismatch now", "as b:7 by ada: ok", f"further from {ONE} to {TWO}"])
def test_what_a_person_wrote_stands_as_it_is(note: str) -> None:
    assert event_in_words("accepted", "Anna", note, "ledger_behind") == ("Anna", note)


@pytest.mark.parametrize("key", ["b:7", "j:7"])
def test_who_accepted_it_under_its_former_name_is_named(key: str) -> None:
    by, note = event_in_words("accepted", ITSELF, f"as {key} by Anna: known, by Otto: since\nMay", "ledger_behind")
    assert by == f"Anna (when it was {'invoice' if key[0] == 'b' else 'job'} 7)"
    assert note == "known, by Otto: since\nMay"


@pytest.mark.parametrize("category", CATEGORIES)
def test_no_category_is_told_by_its_name_for_programs(category: str) -> None:
    assert "_" not in (event_in_words("resolved", ITSELF, f"it is {category} now", "x")[1] or "")
