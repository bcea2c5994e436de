"""What a difference rests on beyond both sides' states and amounts (``further.sql``), in words for people."""

from __future__ import annotations

import re

from include.config.wording import counted

# The digest tells whether they are other codes than before, and nobody else anything.
# Items are never changed, and what is accepted rests on this text: so it is read back for good, and not stored in
# another form.
_UNMAPPED = re.compile(r"(?P<rows>\d+) rows with codes not in the map \([0-9a-f]+\), (?P<amount>-?[0-9.]+) in all\Z")


def further_in_words(further: str | None) -> str | None:
    """Return it as it may be read: the ledger's other rows as they are recorded, rows with unmapped codes counted."""
    return _UNMAPPED.sub(_told, further) if further else further


def _told(unmapped: re.Match[str]) -> str:
    rows = counted(int(unmapped["rows"]), "row with a code", "rows with codes")
    amount = f", {unmapped['amount']} in all" if unmapped["amount"] != "0" else ""
    return f"{rows} not in the status map{amount}"
