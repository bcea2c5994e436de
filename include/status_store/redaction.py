"""What is left of a row when its free texts are erased: keys, codes, times and amounts.

Free are ``statusref``, ``statustext`` and every field that is not known. A payment's ``statustext`` is its type number
(``docs/ropo_one_api.md``, "Seen in third-party code"), which the comparison reads: it stays where it is a number, or a
word that the status map knows. What a payment says instead of one becomes :data:`ERASED`, which no map knows.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from include.config.status_map import PAYMENT_TYPE, is_type_number, load_status_map
from include.status_store.envelope import split_rows
from include.status_store.fields import LONGEST_ID
from include.status_store.parsing import parse_rows
from include.status_store.row_names import readable_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from zoneinfo import ZoneInfo

    from include.config.profiles import Profile
    from include.status_store.event import Event

ERASED = "(erased)"
KEPT_FIELDS = frozenset({"jobid", "statusid", "billnum", "statustype", "statustime", "statuscode", "paydate", "amount"})
# Those in which letters may stand.
_KEYS_AND_CODES = frozenset({"jobid", "statusid", "billnum", "statustype", "statuscode"})
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_scalar = msgspec.json.Decoder(float_hook=Decimal)


class Redaction:
    """The rule, for one status map.

    :param payment_types: the type numbers that a status map knows; they stay, whatever they are made of.
    """

    def __init__(self, payment_types: Collection[str] = ()) -> None:
        self._payment_types = frozenset(payment_types)

    @classmethod
    def of(cls, profile: Profile) -> Redaction:
        """Return the rule for a profile's status map.

        :raises ConfigurationError: if the map cannot be read.
        """
        return cls(load_status_map(profile.status_map).payments)

    def text(self, statustype: str, statustext: str) -> str:
        """Return what is left of a ``statustext``."""
        if statustype.lower() != PAYMENT_TYPE:
            return ""
        return statustext if self._is_type(statustext) else ERASED

    def raw(self, raw: bytes) -> bytes:
        """Return what is left of a row's JSON; kept values stay as they are written.

        :param raw: of a row that could be parsed as an event.
        """
        fields = _fields.decode(raw)
        kept = {name: value for name, value in fields.items() if name in KEPT_FIELDS}
        statustext = _text(fields.get("statustext"))
        if _text(fields.get("statustype")).lower() == PAYMENT_TYPE and self._is_type(statustext):
            kept["statustext"] = fields.get("statustext", msgspec.Raw(b"null"))
        return msgspec.json.encode(kept)

    def rejected(self, raw: bytes) -> bytes:
        """Return what is left of the JSON of a row that is no event, so that somebody, or a later parser, can take it.

        A field that is no text or number goes, and so does a time or an amount with a letter in it, or a key too long
        to be one: what it is instead may be a text.
        """
        fields = {name: value for name, value in readable_fields(raw).items() if isinstance(value, str)}
        kept = {name: value for name, value in fields.items() if name in KEPT_FIELDS and _is_of_its_kind(name, value)}
        statustext = fields.get("statustext", "")
        if fields.get("statustype", "").strip().lower() == PAYMENT_TYPE and self._is_type(statustext.strip()):
            kept["statustext"] = statustext
        return json.dumps(kept).encode()

    def event(self, event: Event) -> Event:
        """Return an event without its free texts."""
        return msgspec.structs.replace(
            event,
            statusref="",
            statustext=self.text(event.statustype, event.statustext),
            raw=msgspec.Raw(self.raw(bytes(event.raw))),
        )

    def body(self, body: bytes, zone: ZoneInfo, due: Callable[[Event | None, bytes], bool]) -> bytes | None:
        """Return an answer whose rows that are due have no free texts; the others stay byte for byte.

        :param zone: the market's.
        :param due: is given each row's event (None: it cannot be one; all of such a row goes) and its bytes.
        :return: None where no row was due.
        :raises NotAStatusAnswerError: if the body is no whole answer.
        """
        rows = split_rows(body)
        events = {event.ordinal: event for event in parse_rows(rows, zone).events}
        left = [self._row(row, events.get(place), due) for place, row in enumerate(rows)]
        return None if left == rows else b'{"result":{"status":[' + b",".join(left) + b"]}}"

    def _row(self, row: bytes, event: Event | None, due: Callable[[Event | None, bytes], bool]) -> bytes:
        if not due(event, row):
            return row
        return b"null" if event is None else self.raw(row)

    def _is_type(self, statustext: str) -> bool:
        return statustext in self._payment_types or is_type_number(statustext)


def _is_of_its_kind(name: str, value: str) -> bool:
    return len(value) <= LONGEST_ID and (name in _KEYS_AND_CODES or not any(map(str.isalpha, value)))


def _text(value: msgspec.Raw | None) -> str:
    """Return a field as the parser reads it."""
    scalar = None if value is None else _scalar.decode(value)
    return "" if scalar is None else str(scalar).strip()
