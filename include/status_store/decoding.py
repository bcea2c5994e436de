"""From the JSON of a row to its known fields, of whatever type."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from include.status_store.fields import RowError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPED_NUL = b"\\u0000"


class Row(msgspec.Struct, gc=False):
    """The known fields, in the order of :data:`.fields.FIELDS`; the unknown ones are passed over."""

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


_rows = msgspec.json.Decoder(list[Row], float_hook=Decimal)
_anything = msgspec.json.Decoder()
_NO_JSON = "row: is no valid JSON text"


def decode(rows: Sequence[bytes]) -> list[Row]:
    """Decode rows in one go.

    :param rows: whole JSON values as the envelope split them, so that joined they stay the same rows.
    :raises RowError: if one of them is no JSON object with text that PostgreSQL can hold.
    """
    together = b"[" + b",".join(rows) + b"]"
    try:
        together.decode()  # unknown fields are passed over by the decoder, and must be text all the same
        if _ESCAPED_NUL in together and _holds_nul(_anything.decode(together)):
            raise RowError("row: holds a NUL character, which PostgreSQL's text cannot")
        decoded = _rows.decode(together)
    except RowError:
        raise
    except (msgspec.ValidationError, TypeError) as error:
        raise RowError("row: expected a JSON object with values in measure") from error
    # Decimal raises an ArithmeticError where an exponent is out of all measure.
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, ArithmeticError) as error:
        raise RowError(_NO_JSON) from error
    if len(decoded) != len(rows):
        raise RowError(_NO_JSON)
    return decoded


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)
