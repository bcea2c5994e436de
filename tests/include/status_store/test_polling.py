"""What an answer that is no page is said to be: by whom it was given, and as what."""

from __future__ import annotations

import pytest

from include.status_store.polling import poll_rows
from include.status_store.source import Answer, PollInDoubtError
from tests.include.status_store.scripted_source import ScriptedSource

LOGIN = b"<html><title>Log in</title></html>"


@pytest.mark.parametrize(
    ("content_type", "named"),
    [
        ("text/html; charset=utf-8", "text/html"),
        (None, "no content type"),
        ("", "no content type"),
        ("two\r\nlines", "an unreadable content type"),
    ],
)
def test_an_answer_that_is_no_page_names_server_customer_and_content_type(content_type: str | None, named: str) -> None:
    source = ScriptedSource(Answer(http_status=200, body=LOGIN, content_type=content_type))

    with pytest.raises(PollInDoubtError) as caught:
        poll_rows(source)

    assert str(caught.value) == (
        f"ropo.example (customer 1000011) answered HTTP 200, {named}: expected JSON with result.status, got 34 bytes: "
        "JSON is malformed: invalid character (byte 0)"
    )
    assert (caught.value.http_status, caught.value.body, caught.value.content_type) == (200, LOGIN, content_type)


def test_an_answer_whose_rows_stand_in_two_places_is_in_doubt_and_kept_as_it_came() -> None:
    body = b'{"result":{"status":[{"statusid":"P9"}],"status":[]}}'

    with pytest.raises(PollInDoubtError, match=r"result\.status is expected once") as caught:
        poll_rows(ScriptedSource(Answer(http_status=200, body=body)))

    assert caught.value.body == body
