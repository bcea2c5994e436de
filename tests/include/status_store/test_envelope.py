"""An answer is split into the bytes of its rows, or is said to be none."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.status_store.envelope import NotAStatusAnswerError, split_rows

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"result":{"status":[]}}', []),
        (b'{"result": {"status": [ ] } }', []),
        (b' {"result" : {"status" :\n [1 , {"a": 1}]}, "more": 2} ', [b"1", b'{"a": 1}']),
        (b'{"result":{"status":{"a":1}}}', [b'{"a":1}']),
        (b'\xef\xbb\xbf{"result":{"status":[{}]}}', [b"{}"]),
        (b'{"result":{"status":[{"a":"\xff"},{"b":1}]}}', [b'{"a":"\xff"}', b'{"b":1}']),
    ],
    ids=[
        "empty list",
        "spaced empty list",
        "spaces",
        "one row as an object",
        "byte order mark",
        "a row that is no text",
    ],
)
def test_rows_stay_the_bytes_that_came(body: bytes, rows: list[bytes]) -> None:
    assert split_rows(body) == rows


@pytest.mark.parametrize(
    "value",
    [
        rb'"half an emoji: \ud83d"', rb'"\x41"', b'"a\nb"', b'"\x00"', b'"\xff\\ud83d"', b'"\\\\\\ud83d"',
        b"NaN", b"-Infinity", b"01", b"+7", b"undefined", b"'text'",
    ],
)  # fmt: skip
def test_a_value_that_is_no_json_spoils_no_other_row(value: bytes) -> None:
    """Half an emoji is what is left of a text that was cut at so many characters."""
    bad = b'{"a": ' + value + b', "b": "Pekka"}'
    body = b'{"more": [{"b":1}], "result": {"status": [{"b":1}, ' + bad + b', {"b":1} , ' + bad + b"]}}"

    assert split_rows(body) == [b'{"b":1}', bad, b'{"b":1}', bad]
    assert split_rows(b'{"result": {"status": ' + bad + b"}}") == [bad]


def test_rows_that_differ_in_what_is_no_json_alone_stay_the_bytes_that_came() -> None:
    rows = [b'{"a": NaN, "b": 1}', b'{"a": nan, "b": 1}', b'{"a": NAN, "b": 1}']
    assert split_rows(b'{"result": {"status": [' + b", ".join(rows) + b"]}}") == rows


@pytest.mark.parametrize("depth", [900, 1_100, 100_000])
@pytest.mark.parametrize("ends", [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_a_value_of_any_depth_spoils_no_other_row(ends: tuple[bytes, bytes], depth: int) -> None:
    bad = b'{"a": ' + ends[0] * depth + b"7" + ends[1] * depth + b', "b": "]"}'
    body = b'{"deep": ' + bad + b', "result": {"status": [{"b":1}, ' + bad + b', {"b":"}"} , ' + bad + b"]}}"

    assert split_rows(body) == [b'{"b":1}', bad, b'{"b":"}"}', bad]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>502</html>",
        b'{"result": null}',
        b'{"result": {}}',
        b'{"result": {"status": null}}',
        b'{"result": {"status": "text"}}',
        b'{"result": {"status": 7}}',
        b'{"result": {"status": [{}]}',
        b'{"result": {"status": [{},]}}',
        b'{"result": {"status": [{}]}} and more',
        b'{"result": {"status": [{"a": "no end}, {"b": 1}]}}',
        b'{"result": {"status": [{"a": NaN}, {"b"',
        b'{"result": {"status": ' + b"[" * 100_000 + b"}}",
        '{"result": {"status": []}}'.encode("utf-16"),
    ],
)
def test_what_is_no_status_answer_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotAStatusAnswerError):
        split_rows(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"result":{"status":[%s]},"result":{"status":[%s]}}',
        b'{"result":{"status":[%s],"status":[%s]}}',
        b'{"result":{"status":%s,"status":%s}}',
        b'{"result":{"status":[%s,%s],"status":[]}}',
        b'{"result":{"status":[%s,%s],"st\\u0061tus":[]}}',
        b'{"result":{"status":[],"st\\u0061tus":[%s,%s]}}',
        b'{"result":{"st\\u0061tus":[%s],"status":[%s]}}',
        b'{"resul\\u0074":7,"result":{"status":[%s,%s]}}',
        b'{"result":null,"more":"\xff","result":{"status":[%s,%s]}}',
        b'{"result":{"status":[%s],"other":[],"status":[NaN,%s]}}',
    ],
)
def test_an_answer_in_which_the_rows_stand_in_two_places_is_none(body: bytes) -> None:
    """The last of them alone would be read, and the others be gone with the body."""
    for rows in ((b'{"a":1}', b'{"b":2}'), (b'{"a":1}', b'{"a":1}')):
        with pytest.raises(NotAStatusAnswerError, match=r"^expected JSON with result\.status, got"):
            split_rows(body % rows)


@pytest.mark.parametrize(
    "body",
    [
        b'{"result":{"status":[%s]},"status":"result"}',
        b'{"status":"ok","more":{"status":1,"result":2},"result":{"type":"status","status":[%s],"result":{}}}',
        b'{"m\\u00f6re":"\xff","result":{"more":[{"status":[]},{"status":[]}],"status":[%s]}}',
        b'{"more":"\\"result\\":{\\"status\\":[]}","result":{"status":[%s]}}',
        b'{"more":[%s],"result":{"status":[%s]}}',
        b'{"more":' + b"7" * 5000 + b',"result":{"status":[%s],"status ":[]}}',
    ],
)
def test_what_else_is_called_so_is_no_second_place(body: bytes) -> None:
    row = b'{"status":["result"],"result":{"status":"status","result":[]},"a":"\\"status\\":[]"}'

    assert split_rows(body.replace(b"%s", row)) == [row]


@pytest.mark.parametrize("end", [b"", b"\\", b'"', b'" , "', b'\\"]}}'])
@pytest.mark.parametrize("piece", [b'\\"', b"\\", b"\\\\", b'a\\"[', b'\xff\\"'])
def test_a_text_without_an_end_takes_no_longer_than_another(piece: bytes, end: bytes) -> None:
    started = time.process_time()

    with pytest.raises(NotAStatusAnswerError):
        split_rows(b'{"result":{"status":["' + piece * 100_000 + end)

    assert time.process_time() - started < 5


def test_the_error_quotes_nothing_of_the_answer() -> None:
    with pytest.raises(NotAStatusAnswerError) as caught:
        split_rows(b'{"result": {"status": "Matti Meikalainen"}, "x": tru}')

    assert "Meikalainen" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>502</html>", "JSON is malformed: invalid character (byte 0)"),
        (b'{"result": {"status": [{}]}', "Input data was truncated"),
        (b'{"result": {"status": [{"a": tru}]', "JSON is malformed: invalid character (byte 30)"),
    ],
)
def test_the_error_is_of_the_answer_as_it_came(body: bytes, error: str) -> None:
    with pytest.raises(NotAStatusAnswerError) as caught:
        split_rows(body)

    assert str(caught.value) == f"expected JSON with result.status, got {len(body)} bytes: {error}"


def damaged(rows: list[object], place: int, piece: bytes) -> bytes:
    body = json.dumps({"result": {"status": rows}}, ensure_ascii=False).encode(errors="surrogatepass")
    return body[: place % len(body)] + piece + body[place % len(body) + len(piece) :]


@given(st.binary() | st.builds(damaged, st.lists(JSON, max_size=5), st.integers(0, 10_000), st.binary(max_size=3)))
def test_of_any_bytes_the_rows_are_pieces_in_their_order_or_it_is_no_answer(body: bytes) -> None:
    try:
        rows = split_rows(body)
    except NotAStatusAnswerError:
        return
    end = 0
    for row in rows:
        end = body.index(row, end) + len(row)


@given(st.lists(JSON, max_size=5))
def test_every_row_of_a_list_comes_out_in_its_place(rows: list[object]) -> None:
    body = json.dumps({"result": {"status": rows}}).encode()

    assert [json.loads(each) for each in split_rows(body)] == rows
