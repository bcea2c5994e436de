"""What the program noted in a break's history, in words for people.

The history is append-only, and its notes are kept as they were made, with the names that the store has for things: so
they are put into words where they are read, whichever version wrote them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from include.reconciliation.break_states import ITSELF
from include.reconciliation.categories import CATEGORY_WORDS, REASONS, category_in_words
from include.reconciliation.further import further_change_in_words

_OTHER_CATEGORY = re.compile(r"it is (?P<category>\w+) now")
_RENAMED = re.compile(r"the invoice is known as (?P<key>[bj]:.*) now", re.DOTALL)
_CARRIED = re.compile(r"as (?P<key>[bj]:.*?) by (?P<by>.*?): (?P<note>.*)", re.DOTALL)
_REASON = re.compile(r"\breason from (?P<before>\w+) to (?P<after>\w+)")
_STATE = re.compile(r"\b(?:status|payment|stage|end) (?:at Ropo One|in the ledger) from \w+ to \w+")
# As ropo.change_in_words has called the columns.
_COLUMNS = (
    (re.compile(r"\brow_count in the ledger from "), "rows in the ledger from "),
    (re.compile(r"\bword in the ledger from "), "the ledger's own word from "),
    (re.compile(r"\bfurther from "), "what differs besides from "),
)


class Told(NamedTuple):
    """Who did it, and what is noted of it."""

    by: str
    note: str | None


def event_in_words(kind: str, by: str, note: str | None, category: str) -> Told:
    """Return who did what happened to a break, and its note, as people read it; what a person wrote stands as it is.

    :param kind: of the event; ``by``: who, as recorded.
    :param category: the break's.
    """
    if by != ITSELF or note is None:
        return Told(by, note)
    if kind == "accepted" and (carried := _CARRIED.fullmatch(note)):
        return Told(f"{carried['by']} (when it was {_invoice_in_words(carried['key'])})", carried["note"])
    if (other := _OTHER_CATEGORY.fullmatch(note)) and other["category"] in CATEGORY_WORDS:
        return Told(by, f"it differs otherwise now: {category_in_words(other['category'])}")
    if renamed := _RENAMED.fullmatch(note):
        return Told(by, f"it is known as {_invoice_in_words(renamed['key'])} now")
    return Told(by, change_in_words(note, category))


def change_in_words(note: str, category: str | None) -> str:
    """Return a note of what changed of a break as people read it.

    :param category: the break's; None leaves the reasons' names.
    """
    told = further_change_in_words(note)
    for column, words in _COLUMNS:
        told = column.sub(words, told)
    told = _STATE.sub(lambda found: found[0].replace("_", " "), told)
    return _REASON.sub(lambda found: _reasons_in_words(found, category), told)


def _reasons_in_words(found: re.Match[str], category: str | None) -> str:
    before, after = (_reason_in_words(category, found[name]) for name in ("before", "after"))
    return f"reason from {before} to {after}"


def _reason_in_words(category: str | None, reason: str) -> str:
    words = REASONS.get((category or "", reason))
    return f"“{words}”" if words else reason


def _invoice_in_words(key: str) -> str:
    """Return what people call the invoice of a key, as ``ropo.invoice_in_words`` does."""
    return f"{'job' if key.startswith('j:') else 'invoice'} {key[2:]}"
