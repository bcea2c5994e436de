"""What can go wrong with a request to Ropo One, each named for its cause.

The bases say what may have become of the request (see ``include/status_store/source.py``): *unsent* lost nothing,
*refused* was served nothing, *in doubt* may have taken a page out of the queue.
"""

from __future__ import annotations

from include.status_store.source import PollInDoubtError, PollRefusedError, PollUnsentError


class RopoConnectionInvalidError(ValueError):
    """The Airflow connection lacks something, or holds something that cannot be used."""


class RopoUnreachableError(PollUnsentError):
    """No connection to the host could be made."""


class RopoTokenUnavailableError(PollUnsentError):
    """The token request brought no answer to use."""


class RopoTokenRefusedError(PollUnsentError):
    """Ropo One gives no token for this customer number and API code."""


class RopoUnauthorizedError(PollRefusedError):
    """401: the token is not (any more) accepted."""


class RopoRateLimitedError(PollRefusedError):
    """429: too many requests, or 503 to a token request; to go on after the time that Ropo One named."""


class RopoRequestRefusedError(PollRefusedError):
    """400, 403 or 404."""


class RopoTimeoutError(PollInDoubtError):
    """The answer did not come, or not whole, within the read timeout."""


class RopoConnectionLostError(PollInDoubtError):
    """The connection broke before the answer was whole."""


class RopoRedirectedError(PollInDoubtError):
    """The server points elsewhere, where we do not follow."""


class RopoServerError(PollInDoubtError):
    """An answer of another status than the documented ones, 5xx mostly."""
