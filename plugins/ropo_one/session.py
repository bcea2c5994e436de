"""The HTTP session that a hook keeps: our token on every request, no redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from requests.auth import AuthBase

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


class Bearer(AuthBase):
    """Sets the token, if there is one, and keeps requests from setting Basic auth out of a .netrc file."""

    def __init__(self) -> None:
        self.token: str | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class RopoSession(requests.Session):
    """A session that does not even look where a redirect leads."""

    def __init__(self, bearer: Bearer) -> None:
        super().__init__()
        self.auth = bearer
        self.headers["Accept"] = "application/json"

    def get_redirect_target(self, resp: Response) -> None:
        """Return nothing to follow; the answer's body is left to be read."""
