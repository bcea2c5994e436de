"""What a row of Ropo One becomes: an event, or a rejection with its reason."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
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
