"""The hook: Ropo One's transport. It sends what it is told once, and says exactly what may have become of it."""

from __future__ import annotations

import datetime
import re
import time
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests
import tenacity
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.log import mask_secret
from requests.auth import AuthBase
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from include.status_store.source import NO_CONTENT, Answer, PollInDoubtError, PollRefusedError, PollUnsentError
from ropo_one.connection import RopoConnection, read_connection
from ropo_one.exceptions import (
    RopoConnectionLostError,
    RopoRateLimitedError,
    RopoRedirectedError,
    RopoRequestRefusedError,
    RopoServerError,
    RopoTimeoutError,
    RopoTokenRefusedError,
    RopoTokenUnavailableError,
    RopoUnauthorizedError,
    RopoUnreachableError,
)

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

TOKEN_PATH = "/rest/token"  # noqa: S105 - a path
STATUS_PATH = "/rest/jobs/statusupdates"

# Ropo documents a life of 2 hours; a token is renewed a little before.
TOKEN_LIFE = 110 * 60.0
UNSENT_ATTEMPTS = 3
# Where a 429 does not say when to come back.
RETRY_AFTER = 60.0
_CHUNK = 256 * 1024
_REFUSED = (400, 403, 404)


class _Bearer(AuthBase):
    """Sets our token, and keeps requests from setting a Basic one out of a .netrc file."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.renew_at = 0.0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class RopoOneHook(HttpHook):
    """Ropo One over HTTP: a token, and polls of status updates, on one keep-alive session.

    Nothing here repeats a poll that may have reached the server. A poll that failed before any byte of it left is tried
    again a few times; everything else is for the caller to decide, by the exception's base class.

    :param ropo_conn_id: Airflow connection of type ``ropo_one``: host (https unless it says otherwise), login = customer
        number (cid), password = API code; extras ``connect_timeout`` (10) and ``read_timeout`` (240), in seconds.
    """

    conn_name_attr = "ropo_conn_id"
    default_conn_name = "ropo_one_default"
    conn_type = "ropo_one"
    hook_name = "Ropo One"

    def __init__(self, ropo_conn_id: str = default_conn_name) -> None:
        super().__init__(method="GET", http_conn_id=ropo_conn_id)
        self.ropo_conn_id = ropo_conn_id
        self._bearer = _Bearer()
        self._renewed_after_401 = False

    @cached_property
    def settings(self) -> RopoConnection:
        """The connection's fields, checked.

        :raises RopoConnectionInvalidError: naming the connection and the field.
        """
        return read_connection(self.get_connection(self.ropo_conn_id))

    @property
    def queue(self) -> tuple[str, str]:
        """The queue that this connection consumes: (host, cid)."""
        return self.settings.host, self.settings.cid

    def get_conn(self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None) -> Session:
        """Return this hook's one session: no Basic auth, no extras as headers, TCP keepalives.

        :param headers: additional headers.
        :param extra_options: refused, since ``HttpHook`` would read timeouts and redirects from them.
        """
        if extra_options:
            raise ValueError(f"extra_options: expected none, got {sorted(extra_options)}; set timeouts in the connection")
        session = self._session
        session.headers.update(headers or {})
        return session

    @cached_property
    def _session(self) -> Session:
        session = requests.Session()
        session.auth = self._bearer
        session.headers["Accept"] = "application/json"
        self.base_url = self.settings.base_url
        self._base_url_initialized = True
        return self._configure_session_from_mount_adapters(session)

    def test_connection(self) -> tuple[bool, str]:
        """Fetch a token, and nothing else: the "Test" button must not take a page out of the queue."""
        try:
            self.fetch_token()
        except (PollUnsentError, ValueError) as error:
            return False, str(error)
        return True, f"{self.settings.base_url} gave a token for customer {self.settings.cid}. Nothing was polled"

    def fetch_token(self) -> None:
        """Fetch a new token; polls do so by themselves.

        :raises RopoTokenRefusedError: where Ropo One gives none: 400 with ``errorId`` and ``errorText``, as documented.
        :raises RopoTokenUnavailableError: where no answer came, or another one.
        """
        settings = self.settings
        self._bearer.token = None
        try:
            response = self.get_conn().post(
                settings.base_url + TOKEN_PATH,
                json={"cid": settings.cid, "apicode": settings.apicode},
                timeout=(settings.connect_timeout, settings.read_timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise RopoTokenUnavailableError(
                f"{self._named}: the token request to {settings.host} failed: {_cause(error)}"
            ) from None
        if response.status_code in (400, 401, 403):
            raise RopoTokenRefusedError(
                f"{self._named}: {settings.host} refused a token for customer {settings.cid}{self._detail(response)}. "
                "Check customer number and API code of this connection"
            )
        token = _json(response).get("token") if response.ok else None
        if not isinstance(token, str) or not token:
            raise RopoTokenUnavailableError(
                f"{self._named}: expected a token from {settings.host}, got HTTP {response.status_code}"
            )
        mask_secret(token)
        self._bearer.token = token
        self._bearer.renew_at = time.monotonic() + TOKEN_LIFE

    def poll(self, *, date: datetime.date | str | None = None, billnum: str | None = None) -> Answer:
        """Send one GET of status updates and read its whole answer.

        :param date: the changes of this business date, a date or text YYYY-MM-DD.
        :param billnum: the changes of this invoice. Without either: the queue's next page, which it then is gone from.
        :return: 200 with its bytes, or 204.
        :raises ValueError: for both filters at once, an empty billnum, or a date of another form: before any request.
        :raises PollUnsentError: nothing was asked: no connection, or no token.
        :raises PollRefusedError: nothing was handed over: 400, 401, 403, 404, 429.
        :raises PollInDoubtError: anything else.
        """
        params = _filters(date, billnum)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((RopoUnreachableError, RopoTokenUnavailableError)),
            stop=tenacity.stop_after_attempt(UNSENT_ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
            reraise=True,
        )
        answer: Answer = retrying(self._poll_once, params)
        return answer

    @property
    def _named(self) -> str:
        return f"Connection {self.ropo_conn_id}"

    def _poll_once(self, params: dict[str, str]) -> Answer:
        if self._bearer.token is None or time.monotonic() >= self._bearer.renew_at:
            self.fetch_token()
        settings = self.settings
        try:
            response = self.get_conn().get(
                settings.base_url + STATUS_PATH,
                params=params,
                timeout=(settings.connect_timeout, settings.read_timeout),
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise self._failed(error) from None
        with response:
            return self._answer(response)

    def _failed(self, error: requests.RequestException) -> PollUnsentError | PollInDoubtError:
        """Name the cause of a request without an answer, by whether any byte of it may have left."""
        text = f"{self._named}: {self.settings.host}"
        if _never_connected(error):
            return RopoUnreachableError(f"{text} cannot be reached: {_cause(error)}")
        if isinstance(error, requests.Timeout):
            return RopoTimeoutError(f"{text} did not answer within {self.settings.read_timeout:g} s")
        return RopoConnectionLostError(f"{text} ended the connection without an answer: {_cause(error)}")

    def _answer(self, response: Response) -> Answer:
        status = response.status_code
        if status in (*_REFUSED, 401, 429):
            raise self._refusal(response)
        body = self._read(response)
        content_type = response.headers.get("Content-Type")
        if status in (200, NO_CONTENT):
            self._renewed_after_401 = False
            return Answer(http_status=status, body=body, content_type=content_type)
        kind, what = (RopoRedirectedError, "points elsewhere, where we do not follow:") if 300 <= status < 400 else (
            RopoServerError, "answered"
        )  # fmt: skip
        raise kind(
            f"{self._named}: {self.settings.host} {what} HTTP {status}", http_status=status, body=body,
            content_type=content_type,
        )  # fmt: skip

    def _read(self, response: Response) -> bytes:
        """Read the whole body; where it breaks off, what came is kept with the doubt."""
        body = bytearray()
        try:
            for chunk in response.iter_content(_CHUNK):
                body += chunk
        except requests.RequestException as error:
            kind = RopoTimeoutError if isinstance(error, requests.Timeout) else RopoConnectionLostError
            raise kind(
                f"{self._named}: the answer of {self.settings.host} broke off after {len(body)} bytes: {_cause(error)}",
                http_status=response.status_code,
                body=bytes(body),
                content_type=response.headers.get("Content-Type"),
            ) from None
        return bytes(body)

    def _refusal(self, response: Response) -> PollRefusedError:
        status = response.status_code
        text = f"{self._named}: {self.settings.host} refused the poll with HTTP {status}{self._detail(response)}"
        if status == requests.codes.unauthorized:
            # A token may end before its time; a second refusal in a row is not about the token's age.
            again = None if self._renewed_after_401 else 0.0
            self._renewed_after_401 = True
            self._bearer.token = None
            return RopoUnauthorizedError(text, http_status=status, go_on_after=again)
        if status == requests.codes.too_many_requests:
            return RopoRateLimitedError(text, http_status=status, go_on_after=_retry_after(response))
        return RopoRequestRefusedError(text, http_status=status)

    def _detail(self, response: Response) -> str:
        """Return what Ropo One says of an error (RFC 7807, or the token's errorText), without any secret in it."""
        try:
            fields = _json(response)
        except requests.RequestException:
            return ""
        said = [str(fields[key]) for key in ("title", "detail", "errorId", "errorText") if fields.get(key)]
        text = " ".join(said)[:300]
        for secret in (self.settings.apicode, self._bearer.token):
            text = text.replace(secret, "***") if secret else text
        return f" ({text})" if text else ""


def _filters(date: datetime.date | str | None, billnum: str | None) -> dict[str, str]:
    """Return the query of a poll. Ropo takes at most one filter."""
    if date is not None and billnum is not None:
        raise ValueError("expected at most one of date and billnum, got both")
    if billnum is not None:
        if not billnum.strip():
            raise ValueError("billnum: expected an invoice number, it is empty")
        return {"billnum": billnum.strip()}
    if date is None:
        return {}
    text = date if isinstance(date, str) else date.isoformat()
    try:
        valid = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and datetime.date.fromisoformat(text)
    except ValueError:
        valid = None
    if not valid:
        raise ValueError(f"date: expected YYYY-MM-DD, got {text!r}")
    return {"date": text}


def _never_connected(error: requests.RequestException) -> bool:
    """Tell whether a request failed before a byte of it left: no address, no connection, no trusted certificate."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, ConnectTimeoutError | NameResolutionError | NewConnectionError):
        return True
    return isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def _cause(error: BaseException) -> str:
    """Name the innermost cause by class and text; requests' own texts repeat the URL."""
    while True:
        inner = getattr(error, "reason", None) or next((arg for arg in error.args if isinstance(arg, Exception)), None)
        if not isinstance(inner, Exception):
            text = str(error).rpartition(">: ")[2] or str(error)
            return f"{type(error).__name__}: {text}" if text else type(error).__name__
        error = inner


def _json(response: Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _retry_after(response: Response) -> float:
    """Return the seconds that a Retry-After header asks for, as a number or an HTTP date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return RETRY_AFTER
    if moment.tzinfo is None:
        return RETRY_AFTER
    return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
