"""From the bytes of an answer to the bytes of its rows.

The shape ``{"result": {"status": [row, …]}}`` is seen in third-party code, as is one row as an object in place of the
list (``docs/ropo_one_api.md``, "Seen" and "Unknown"). Rows stay bytes here, so that one bad row cannot spoil another.
"""

from __future__ import annotations

import json
import re

import msgspec


class NotAStatusAnswerError(ValueError):
    """The bytes are no JSON with ``result.status``, or one that stands in two places."""


class _Result(msgspec.Struct):
    status: msgspec.Raw


class _Envelope(msgspec.Struct):
    result: _Result


_envelope = msgspec.json.Decoder(_Envelope)
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


# A JSON string; one without an end is all that follows. Else each quote in it would be looked at as the beginning of
# another, and each to the end: for a tenth of a megabyte half a minute.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
# A string, or any other value without structure. Bytes, so that what is no text is matched as well.
_TOKEN = re.compile(_STRING + rb'|[^\s"{}\[\]:,]+', re.DOTALL)
_BRACKET = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_DEEPEST = 100
_STATUS = re.compile(rb'"status"\s*:\s*')


def split_rows(body: bytes) -> list[bytes]:
    """Return the rows of an answer, each as the bytes of its JSON value, in the order of the answer.

    A row may hold a value that is no JSON (half an emoji, a control character, NaN) as long as it is clear where the
    row ends: it comes out as it is, for the parser to reject it alone.

    :raises NotAStatusAnswerError: if the body is no JSON, or JSON of another shape; also where ``result`` or its
        ``status`` stands in it more than once, of which JSON's readers take one, and what the others hold is gone.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        try:
            return _rows_of(_status(body))
        except msgspec.ValidationError:  # JSON, of another shape
            raise
        # A hostile depth of nesting ends in RecursionError.
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return _rows_of_broken_values(body, error)
    # What is no UTF-8 ends in UnicodeDecodeError (a ValueError).
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        # msgspec's messages name places and types, never the content.
        raise NotAStatusAnswerError(f"expected JSON with result.status, got {len(body)} bytes: {error}") from error


def _status(body: bytes) -> bytes:
    status = bytes(_envelope.decode(body).result.status)
    if not (_stands_alone(body, status) or _stands_once(body)):
        raise ValueError("result.status is expected once, it stands in more than one place")
    return status


def _stands_alone(body: bytes, status: bytes) -> bool:
    """Tell, at a glance, whether around an answer's rows nothing else can be called as their place is.

    :return: false too where something is called so that is no such place.
    """
    name = _STATUS.search(body)
    if name is None or not body.startswith(status, name.end()):
        return False
    around = body[: name.start()] + body[name.end() + len(status) :]
    # A name may be spelled with escapes.
    return around.count(b'"result"') == 1 and b'"status"' not in around and b"\\" not in around


def _stands_once(body: bytes) -> bool:
    """Tell, by all names of the two outer levels of an answer, whether it has one result with one status."""
    outline = _flattened(body, deepest=3).decode("latin-1")
    # Names are told apart, nothing else: no number needs to be one, nor a text to be legible.
    outer = json.loads(outline, object_pairs_hook=list, parse_int=str, parse_float=str, strict=False)
    results = [value for name, value in outer if name == "result"]
    return len(results) == 1 and [name for name, _ in results[0]].count("status") == 1


def _rows_of(status: bytes) -> list[bytes]:
    if status.startswith(b"["):
        return [bytes(row) for row in _rows.decode(status)]
    if status.startswith(b"{"):
        return [status]
    raise ValueError("a list of rows (or one row) is expected in result.status, it is another JSON value")


def _rows_of_broken_values(body: bytes, error: Exception) -> list[bytes]:
    """Find where rows stand once what is no JSON or too deep is mended to its length; return them as they came.

    :param error: what is wrong with the body as it came; raised where mending does not help, since an error of the
        mended text would speak of what nobody has sent.
    """
    mended = _flattened(_TOKEN.sub(_mended, body))
    try:
        status = _status(mended)
        found = _rows_of(status)
    except (msgspec.MsgspecError, ValueError):
        raise error from None
    end = mended.index(status)
    rows = []
    for row in found:
        start = mended.index(row, end)
        end = start + len(row)
        rows.append(body[start:end])
    return rows


def _flattened(body: bytes, *, deepest: int = _DEEPEST) -> bytes:
    """Return an answer with a text in place of each value that lies deeper; by default than any of Ropo's."""
    flat = bytearray(body)
    depth = start = 0
    for bracket in _BRACKET.finditer(body):
        if bracket[0] in b"[{":
            depth += 1
            if depth == deepest:
                start = bracket.start()
        elif bracket[0] in b"]}":
            if depth == deepest:
                flat[start : bracket.end()] = b'"' + b"?" * (bracket.end() - start - 2) + b'"'
            depth -= 1
    return bytes(flat)


def _mended(token: re.Match[bytes]) -> bytes:
    """Return a token that is JSON as it is, one that is not as another of its length."""
    text = token[0]
    try:
        _anything.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return b'"' + b"?" * (len(text) - 2) + b'"' if text.startswith(b'"') else b"1" * len(text)
    return text
