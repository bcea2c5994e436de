"""Tokens shaped like JSON Web Tokens; only the simulator knows which it issued."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta

# Documented by Ropo.
LIFETIME = timedelta(hours=2)


class Tokens:
    """Issued tokens, each of one customer until it expires."""

    def __init__(self) -> None:
        self._issued: dict[str, tuple[str, datetime]] = {}

    def issue(self, cid: str, now: datetime) -> str:
        """A new token; older ones stay valid.

        :param cid: the customer's number.
        :param now: aware.
        """
        expires_at = now + LIFETIME
        claims = {"sub": cid, "exp": int(expires_at.timestamp())}
        parts = (_encoded({"alg": "HS256", "typ": "JWT"}), _encoded(claims), secrets.token_urlsafe(32))
        token = ".".join(parts)
        self._issued[token] = (cid, expires_at)
        return token

    def owner(self, token: str, now: datetime) -> str | None:
        """The customer whose token it is, or None if it is unknown or has expired."""
        cid, expires_at = self._issued.get(token, (None, now))
        return cid if now < expires_at else None

    def expire(self, cid: str | None = None) -> None:
        """Let all tokens expire at once, or one customer's."""
        self._issued = {token: held for token, held in self._issued.items() if cid is not None and held[0] != cid}


def _encoded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
