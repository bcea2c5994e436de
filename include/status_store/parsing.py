"""From the bytes of a row to an event, or to a reason why it cannot be one.

The ten known fields, their types and samples are those of ``ropo_one_api.md`` ("Seen in third-party code"). Nothing is
guessed: a value of another form sends its row to quarantine, where it waits for a person or a better parser.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

FIELDS = (
    "jobid", "statusid", "billnum", "statustype", "statustime",
    "statusref", "statustext", "statuscode", "paydate", "amount",
)  # fmt: skip

# Money with a decimal point; so many digits hold any invoice, and a number out of all measure is no amount.
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_ESCAPED_NUL = b"\\u0000"
# Ids are keys, and an index takes no key of any length. Those seen have 5 to 8 characters.
_LONGEST_ID = 200


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A row of Ropo One, parsed.

    :param ordinal: its place in its answer, from 0.
    :param statusid: Ropo's id of the row; without one, a hash of the ten fields and the row's occurrence in its answer.
    :param statustime: the market's wall clock, as ISO text without a zone.
    :param content_sha256: hex, of the ten known fields as trimmed strings.
    :param raw: the row's JSON as it came, unknown fields included.
    """

    ordinal: int
    statusid: str
    jobid: str | None
    billnum: str | None
    statustype: str
    statustime: str
    statuscode: str
    statusref: str
    statustext: str
    paydate: str | None
    amount: str | None
    content_sha256: str
    raw: msgspec.Raw


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A row that cannot be an event.

    :param ordinal: its place in its answer, from 0.
    :param error: why; names the field and the expected form, never the content, which may be personal data.
    """

    ordinal: int
    raw: bytes
    error: str


class ParsedPage(msgspec.Struct, frozen=True):
    """An answer's rows: each is in one of the two lists."""

    events: list[Event]
    rejected: list[Rejected]


class _Row(msgspec.Struct):
    """The known fields of any type; the unknown ones are passed over here and kept in ``raw``."""

    jobid: Any = None
    statusid: Any = None
    billnum: Any = None
    statustype: Any = None
    statustime: Any = None
    statusref: Any = None
    statustext: Any = None
    statuscode: Any = None
    paydate: Any = None
    amount: Any = None


class _RowError(ValueError):
    """Why a row cannot be an event."""


_row = msgspec.json.Decoder(_Row, float_hook=Decimal)
_all_rows = msgspec.json.Decoder(list[_Row], float_hook=Decimal)
_anything = msgspec.json.Decoder()


def parse_rows(rows: Iterable[bytes], zone: ZoneInfo) -> ParsedPage:
    """Parse an answer's rows.

    :param zone: the market's, for a ``statustime`` that names an offset (none was ever seen to).
    """
    rows = list(rows)
    events: list[Event] = []
    rejected: list[Rejected] = []
    occurrences: dict[str, int] = {}
    for ordinal, (raw, row) in enumerate(zip(rows, _decoded_at_once(rows), strict=True)):
        try:
            events.append(_event(ordinal, raw, row or _decoded(raw), zone, occurrences))
        except _RowError as error:
            rejected.append(Rejected(ordinal=ordinal, raw=raw, error=str(error)))
    return ParsedPage(events, rejected)


def _event(ordinal: int, raw: bytes, row: _Row, zone: ZoneInfo, occurrences: dict[str, int]) -> Event:
    jobid, statusid, billnum, statustype, statustime, statusref, statustext, statuscode, paydate, amount = texts = [
        value.strip() if isinstance(value, str) else _text(field, value)
        for field, value in zip(FIELDS, msgspec.structs.astuple(row), strict=True)
    ]
    if len(jobid) > _LONGEST_ID or len(statusid) > _LONGEST_ID or len(billnum) > _LONGEST_ID:
        raise _too_long(jobid=jobid, statusid=statusid, billnum=billnum)
    if not jobid and not billnum:
        raise _RowError("jobid and billnum: expected one of them, both are missing")
    if not statustype:
        raise _RowError("statustype: expected a word such as payment or comment, it is missing")
    # Lengths before values: no two rows may run into the same text.
    content = hashlib.sha256("".join([f"{len(value)}:{value}" for value in texts]).encode()).hexdigest()
    return Event(
        ordinal=ordinal,
        statusid=statusid or _made_up_id(content, occurrences),
        jobid=jobid or None,
        billnum=billnum or None,
        statustype=statustype,
        statustime=_time(statustime, zone),
        statuscode=statuscode,
        statusref=statusref,
        statustext=statustext,
        paydate=_date("paydate", paydate, zone),
        amount=_amount(amount, statustype),
        content_sha256=content,
        raw=msgspec.Raw(raw),
    )


def _too_long(**ids: str) -> _RowError:
    field, text = next((field, text) for field, text in ids.items() if len(text) > _LONGEST_ID)
    return _RowError(f"{field}: expected an id of at most {_LONGEST_ID} characters, got {len(text)}")


def _decoded_at_once(rows: list[bytes]) -> list[_Row] | list[None]:
    """Decode all rows in one go; a None each where one of them could not be, which is then for :func:`_decoded` to say.

    The rows are whole JSON values as the envelope split them, so that joined they stay the same rows; where one is not,
    and the list comes out longer or shorter, each is looked at alone.
    """
    together = b"[" + b",".join(rows) + b"]"
    try:
        together.decode()
        decoded = [] if _ESCAPED_NUL in together else _all_rows.decode(together)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, ValueError, ArithmeticError):
        decoded = []
    return decoded if len(decoded) == len(rows) else [None] * len(rows)


def _decoded(raw: bytes) -> _Row:
    try:
        raw.decode()  # unknown fields are passed over by the decoder, and must be text all the same
        if _ESCAPED_NUL in raw and _holds_nul(_anything.decode(raw)):
            raise _RowError("row: holds a NUL character, which PostgreSQL's text cannot")
        return _row.decode(raw)
    except (msgspec.ValidationError, TypeError) as error:
        raise _RowError("row: expected a JSON object with values in measure") from error
    # Decimal raises an ArithmeticError where an exponent is out of all measure.
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, ArithmeticError) as error:
        if isinstance(error, _RowError):
            raise
        raise _RowError("row: is no valid JSON text") from error


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)


def _text(field: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise _RowError(f"{field}: expected text or a number, got a JSON {type(value).__name__}")


def _made_up_id(content: str, occurrences: dict[str, int]) -> str:
    occurrence = occurrences[content] = occurrences.get(content, 0) + 1
    return f"sha256:{content}:{occurrence}"


def _time(text: str, zone: ZoneInfo) -> str:
    if not text:
        raise _RowError("statustime: expected YYYY-MM-DD HH:MM:SS, it is missing")
    return _moment("statustime", text, zone).isoformat(sep=" ")


def _date(field: str, text: str, zone: ZoneInfo) -> str | None:
    return _moment(field, text, zone).date().isoformat() if text else None


def _moment(field: str, text: str, zone: ZoneInfo) -> datetime.datetime:
    """Return a date or time as the market's wall clock shows it."""
    try:
        moment = datetime.datetime.fromisoformat(text)
        return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise _RowError(f"{field}: expected a form such as 2015-11-13 or 2015-11-13 09:59:20, got another") from None


def _amount(text: str, statustype: str) -> str | None:
    if not text:
        if statustype == "payment":
            raise _RowError("amount: expected a number such as 96.72 on a payment, it is missing")
        return None
    if not _AMOUNT.fullmatch(text):
        raise _RowError("amount: expected a number such as 96.72, got another form")
    return text
