"""From the text of one field to its value, or to a reason why it is none.

The ten known fields, their types and samples are those of ``docs/ropo_one_api.md`` ("Seen in third-party code").
Nothing is guessed: a value of another form sends its row to quarantine, where it waits for a person or a better parser.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIELDS = (
    "jobid", "statusid", "billnum", "statustype", "statustime",
    "statusref", "statustext", "statuscode", "paydate", "amount",
)  # fmt: skip
# Ids are keys, and an index takes no key of any length. Those seen have 5 to 8 characters.
LONGEST_ID = 200

# Money with a decimal point; so many digits hold any invoice, and a number out of all measure is no amount.
_DIGITS, _DECIMALS = 15, 6
_AMOUNT = re.compile(rf"-?[0-9]{{1,{_DIGITS}}}(\.[0-9]{{1,{_DECIMALS}}})?")


class RowError(ValueError):
    """Why a row cannot be an event: names the field and the expected form, never the content."""


def text(field: str, value: object) -> str:
    """Return a field as a trimmed text; it may come as a text, a number or null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _number(field, value)
    raise RowError(f"{field}: expected text or a number, got a JSON {type(value).__name__}")


def time(value: str, zone: ZoneInfo) -> str:
    """Return a ``statustime`` as the market's wall clock shows it, as ISO text without a zone.

    :param zone: the market's, for a time that names an offset (none was ever seen to).
    """
    if not value:
        raise RowError("statustime: expected YYYY-MM-DD HH:MM:SS, it is missing")
    return _moment("statustime", value, zone).isoformat(sep=" ")


def date(value: str, zone: ZoneInfo) -> str | None:
    """Return a ``paydate`` as ISO text, None where there is none."""
    return _moment("paydate", value, zone).date().isoformat() if value else None


def amount(value: str) -> str | None:
    """Return an ``amount`` as PostgreSQL writes it, with the decimals that came; None where there is none."""
    if not value:
        return None
    if not _AMOUNT.fullmatch(value):
        expected = f"a number such as 96.72, of at most {_DIGITS} digits and {_DECIMALS} decimals"
        raise RowError(f"amount: expected {expected}, got another")
    number = Decimal(value)
    return f"{number or abs(number):f}"


def _number(field: str, value: int | Decimal) -> str:
    # JSON may write a large amount with an exponent, and it is the same money. Ids stay: a page is searched for them.
    if field == "amount" and isinstance(value, Decimal) and abs(value.adjusted()) <= _DIGITS:
        return f"{value:f}"
    return str(value)


def _moment(field: str, value: str, zone: ZoneInfo) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(value)
        return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise RowError(f"{field}: expected a form such as 2015-11-13 or 2015-11-13 09:59:20, got another") from None
