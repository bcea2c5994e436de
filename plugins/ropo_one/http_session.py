"""The HTTP session that a hook keeps: our token on every request, verified certificates, no redirects."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


# An @ behind the host is that of a password with a /, ? or # in it, so that what stands before is no host.
_PROXY = re.compile(
    r"(?:[a-z0-9+.-]+://(?:[^/?#]*@)?)?(?P<place>(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?)(?:[/?#][^@]*)?",
    re.IGNORECASE,
)
# Those of requests, the first that is set wins.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Bearer(AuthBase):
    """Sets the token, if there is one, and keeps requests from setting Basic auth out of a .netrc file."""

    def __init__(self) -> None:
        self.token: str | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Proxy(NamedTuple):
    """A proxy, as it may be told: without its user and password.

    :param variable: of the environment, that names it.
    :param place: its host and port; None where they cannot be told from its password, which is not encoded then.
    """

    variable: str
    place: str | None

    def __str__(self) -> str:
        return f"{f'the proxy {self.place}' if self.place else 'a proxy'} ({self.variable})"


class RopoSession(requests.Session):
    """A session that verifies every server's certificate, and does not even look where a redirect leads.

    :param ca_file: certificates to trust, whatever the environment says. Without one they are those that
        ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` name, else the usual ones.
    """

    def __init__(self, bearer: Bearer, ca_file: str | None = None) -> None:
        super().__init__()
        self._ca_file = ca_file
        self.auth = bearer
        self.headers["Accept"] = "application/json"

    @property
    def trusted_by(self) -> str | None:
        """What names the file of certificates that are trusted, in words; None where they are the usual ones."""
        if self._ca_file is not None:
            return "the connection's extra ca_file"
        return next((name for name in _CA_VARIABLES if os.environ.get(name)), None)

    def proxy(self, url: str) -> Proxy | None:
        """Return the proxy that requests to an address go through; None where they go through none."""
        proxies = self.merge_environment_settings(url, {}, None, None, None)["proxies"]
        for kind in (urlsplit(url).scheme, "all"):
            if proxies.get(kind):
                found = _PROXY.fullmatch(proxies[kind])
                return Proxy(variable=f"{kind.upper()}_PROXY", place=found["place"] if found else None)
        return None

    def merge_environment_settings(self, url: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what the environment adds to a request. It would win over a session's own certificates.

        Plain HTTP is for this machine's own addresses, so no proxy of the environment gets to read it.
        """
        settings = super().merge_environment_settings(url, *args, **kwargs)
        if urlsplit(url).scheme == "http":
            settings["proxies"] = {}
        if self._ca_file is not None:
            settings["verify"] = self._ca_file
        return settings

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request; an argument or an attribute that switches verification off does not pass.

        :raises ValueError: for it, before anything is sent.
        """
        if not kwargs.get("verify", self.verify):
            raise ValueError("verify: the server's certificate is always verified; see the connection's extra ca_file")
        return super().send(request, **kwargs)

    def get_redirect_target(self, resp: Response) -> None:
        """Return nothing to follow; the answer's body is left to be read."""
