"""One poll to its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.status_store.envelope import NotAStatusAnswerError, split_rows
from include.status_store.source import NO_CONTENT, PollInDoubtError, media_type

if TYPE_CHECKING:
    import datetime

    from include.status_store.source import Answer, StatusSource


def poll_rows(
    source: StatusSource, *, date: datetime.date | None = None, billnum: str | None = None
) -> tuple[Answer, list[bytes]] | None:
    """Send one poll.

    :return: the answer and its rows; None for 204.
    :raises PollError: as :meth:`StatusSource.poll`; in doubt also if a 200 is no JSON with ``result.status``, since
        whatever page was meant by it is not in our hands.
    """
    answer = source.poll(date=date, billnum=billnum)
    if answer.http_status == NO_CONTENT:
        return None
    try:
        return answer, split_rows(answer.body)
    except NotAStatusAnswerError as error:
        host, cid = source.queue
        raise PollInDoubtError(
            f"{host} (customer {cid}) answered HTTP {answer.http_status}, {media_type(answer.content_type)}: {error}",
            http_status=answer.http_status,
            body=answer.body,
            content_type=answer.content_type,
        ) from error
