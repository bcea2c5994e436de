"""From the rows of an answer to events, or to the reason why one of them cannot be one.

Most pages hold nothing but events, and are taken column by column. Where a row of them is none, each of them is looked
at for itself, by the same rules (:mod:`include.status_store.fields`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from include.status_store import fields
from include.status_store.decoding import Row, decode, decode_all
from include.status_store.event import Event, ParsedPage, Rejected
from include.status_store.events_at_once import events_at_once
from include.status_store.fields import FIELDS, LONGEST_ID, PAYMENT, RowError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

# Of a longer answer, a row that is no event concerns its own part only.
ROWS_AT_ONCE = 1000


def parse_rows(rows: Iterable[bytes], zone: ZoneInfo) -> ParsedPage:
    """Parse an answer's rows.

    :param zone: the market's, for a ``statustime`` that names an offset (none was ever seen to).
    """
    rows = list(rows)
    page = ParsedPage([], [])
    occurrences: dict[str, int] = {}
    for first in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[first : first + ROWS_AT_ONCE]
        decoded = decode_all(some)
        events = None if decoded is None else events_at_once(some, decoded, first, zone)
        if events is None:
            _one_by_one(some, decoded or [None] * len(some), first, zone, occurrences, page)
        else:
            page.events.extend(events)
    return page


def _one_by_one(
    rows: list[bytes],
    decoded: list[Row] | list[None],
    first: int,
    zone: ZoneInfo,
    occurrences: dict[str, int],
    page: ParsedPage,
) -> None:
    for ordinal, (raw, row) in enumerate(zip(rows, decoded, strict=True), first):
        try:
            page.events.append(_event(ordinal, raw, row or decode(raw), zone, occurrences))
        except RowError as error:
            page.rejected.append(Rejected(ordinal=ordinal, raw=raw, error=str(error)))


def _event(ordinal: int, raw: bytes, row: Row, zone: ZoneInfo, occurrences: dict[str, int]) -> Event:
    texts = [fields.text(field, value) for field, value in zip(FIELDS, msgspec.structs.astuple(row), strict=True)]
    jobid, statusid, billnum, statustype, statustime, statusref, statustext, statuscode, paydate, amount = texts
    if len(jobid) > LONGEST_ID or len(statusid) > LONGEST_ID or len(billnum) > LONGEST_ID:
        raise _too_long(jobid=jobid, statusid=statusid, billnum=billnum)
    if not jobid and not billnum:
        raise RowError("jobid and billnum: expected one of them, both are missing")
    if not statustype:
        raise RowError("statustype: expected a word such as payment or comment, it is missing")
    if not amount and statustype == PAYMENT:
        raise RowError("amount: expected a number such as 96.72 on a payment, it is missing")
    content = fields.content_sha256([part for text in texts for part in (fields.frame(len(text)), text)])
    return Event(
        ordinal=ordinal,
        statusid=statusid or _made_up_id(content, occurrences),
        jobid=jobid or None,
        billnum=billnum or None,
        statustype=statustype,
        statustime=fields.time(statustime, zone),
        statuscode=statuscode,
        statusref=statusref,
        statustext=statustext,
        paydate=fields.date(paydate, zone),
        amount=fields.amount(amount),
        content_sha256=content,
        raw=msgspec.Raw(raw),
    )


def _too_long(**ids: str) -> RowError:
    field, text = next((field, text) for field, text in ids.items() if len(text) > LONGEST_ID)
    return RowError(f"{field}: expected an id of at most {LONGEST_ID} characters, got {len(text)}")


def _made_up_id(content: str, occurrences: dict[str, int]) -> str:
    occurrence = occurrences[content] = occurrences.get(content, 0) + 1
    return f"sha256:{content}:{occurrence}"
