"""From the bytes of an answer to the bytes of its rows.

The shape ``{"result": {"status": [row, …]}}`` is seen in third-party code, as is one row as an object in place of the
list (``ropo_one_api.md``, "Seen" and "Unknown"). Rows stay bytes here, so that one bad row cannot spoil another.
"""

from __future__ import annotations

import msgspec


class NotAStatusAnswerError(ValueError):
    """The bytes are no JSON with ``result.status``."""


class _Result(msgspec.Struct):
    status: msgspec.Raw


class _Envelope(msgspec.Struct):
    result: _Result


_envelope = msgspec.json.Decoder(_Envelope)
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def split_rows(body: bytes) -> list[bytes]:
    """Return the rows of an answer, each as the bytes of its JSON value, in the order of the answer.

    :raises NotAStatusAnswerError: where the body is no JSON, or JSON of another shape.
    """
    try:
        status = _envelope.decode(body.removeprefix(_BYTE_ORDER_MARK)).result.status
        value = bytes(status)
        if value.startswith(b"["):
            return [bytes(row) for row in _rows.decode(value)]
    # A hostile depth of nesting ends in RecursionError, text that is not UTF-8 in UnicodeDecodeError (a ValueError).
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        # msgspec's messages name places and types, never the content.
        raise NotAStatusAnswerError(f"expected JSON with result.status, got {len(body)} bytes: {error}") from error
    if value.startswith(b"{"):
        return [value]
    raise NotAStatusAnswerError("expected a list of rows (or one row) in result.status, got another JSON value")
