"""What the store needs of Ropo One's transport: one poll, and the ways in which it can fail.

The exceptions say what may have become of the request, because that alone decides what happens next: an unsent poll
lost nothing, a refused one was served nothing, and one in doubt may have taken a page out of the queue with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    import datetime

NO_CONTENT = 204
# Refusals of one date or number; every other is of the connection, so of all polls that follow.
_OF_WHAT_WAS_ASKED = (400, 404)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,80}/[\w!#$&^.+-]{1,80}", re.ASCII)


def media_type(content_type: str | None) -> str:
    """Return what an answer says it is, for an error: its media type without parameters, fit for a line of a log."""
    named = (content_type or "").partition(";")[0].strip()
    if not named:
        return "no content type"
    return named if _MEDIA_TYPE.fullmatch(named) else "an unreadable content type"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer of Ropo One.

    :param http_status: 200 with a page, or 204: the queue (or the filter) holds nothing more.
    :param body: every byte of the answer, decompressed; empty for 204.
    :param content_type: as the server named it.
    """

    http_status: int
    body: bytes = b""
    content_type: str | None = None


class PollError(Exception):
    """A poll that brought no answer to keep.

    :ivar go_on_after: seconds after which a new poll may be sent, where the server or the kind of failure says so.
    """

    go_on_after: float | None = None


class PollUnsentError(PollError):
    """The poll failed before any byte of it left: nothing was asked, nothing can be lost."""


class PollRefusedError(PollError):
    """Ropo One answered that it does not serve this poll: nothing was handed over.

    :param http_status: 400, 401, 403, 404 or 429; 503 where no token was given for now.
    :param go_on_after: seconds after which a new poll may be sent; None where a new one would be refused as well.
    """

    def __init__(self, message: str, *, http_status: int, go_on_after: float | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.go_on_after = go_on_after

    @property
    def is_of_what_was_asked(self) -> bool:
        """Whether it is of the one date or number, so that others may still be asked."""
        return self.http_status in _OF_WHAT_WAS_ASKED and self.go_on_after is None


class PollInDoubtError(PollError):
    """The poll may have reached Ropo One and its answer did not reach us whole: a page may be gone from the queue.

    :param http_status: of the answer, where one began.
    :param body: what came of it.
    :param go_on_after: seconds for which the server asks to be left alone; None where it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        body: bytes = b"",
        content_type: str | None = None,
        go_on_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.body = body
        self.content_type = content_type
        self.go_on_after = go_on_after


class StatusSource(Protocol):
    """Where polls go; ``ropo_one.hooks.RopoOneHook`` is one."""

    @property
    def queue(self) -> tuple[str, str]:
        """The queue's (host, cid), which a profile is pinned to."""

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        """Send one GET, parameterless or with one filter, and read its whole answer.

        :raises PollError: one of the three kinds above.
        :raises BaseException: whatever else breaks it off, as the end of a task does. Where the answer had begun, its
            cause is a :class:`PollInDoubtError` with what came of it.
        """
