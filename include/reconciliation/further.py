"""What a difference rests on beyond both sides' states and amounts (``further.sql``), in words for people."""

from __future__ import annotations

import re

from include.config.wording import counted

# The digest tells whether they are other codes than before, and nobody else anything.
# Items are never changed, and what is accepted rests on this text: so it is read back for good, and not stored in
# another form.
_UNMAPPED = r"(?P<rows>\d+) rows with codes not in the map \([0-9a-f]+\), (?P<amount>-?\d+(\.\d+)?) in all"
_AT_THE_END = re.compile(_UNMAPPED + r"\Z")
_ANYWHERE = re.compile(_UNMAPPED)
# As many rows, and as much money: the codes alone are others.
_OTHER_CODES = re.compile(_UNMAPPED + r" to (?P=rows) rows with codes not in the map \([0-9a-f]+\), (?P=amount) in all")


def further_in_words(further: str | None) -> str | None:
    """Return it as it may be read: the ledger's other rows as they are recorded, rows with unmapped codes counted."""
    return _AT_THE_END.sub(_told, further) if further else further


def further_change_in_words(note: str) -> str:
    """Return a note of what changed as it may be read, rows with unmapped codes counted wherever they stand in it."""
    return _ANYWHERE.sub(_told, _OTHER_CODES.sub(_told_others, note))


def _told(unmapped: re.Match[str]) -> str:
    rows = counted(int(unmapped["rows"]), "row with a code", "rows with codes")
    amount = f", {unmapped['amount']} in all" if unmapped["amount"] != "0" else ""
    return f"{rows} not in the status map{amount}"


def _told_others(unmapped: re.Match[str]) -> str:
    others = counted(int(unmapped["rows"]), "row with another code", "rows with other codes")
    return f"{_told(unmapped)} to {others} not in it"
