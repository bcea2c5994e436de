"""The hook: Ropo One's transport. It sends what it is told once, and says exactly what may have become of it."""

from __future__ import annotations

import re
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import requests
import tenacity
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.log import mask_secret
from urllib3.exceptions import HTTPError

from include.config.business_dates import parse_date
from include.status_store.source import (
    NO_CONTENT,
    Answer,
    PollInDoubtError,
    PollRefusedError,
    PollUnsentError,
    media_type,
)
from ropo_one.causes import cause, never_connected, timed_out
from ropo_one.connection import CONNECTION_TYPE, RopoConnection, get_connection
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
from ropo_one.http_session import Bearer, RopoSession
from ropo_one.refusals import asks_to_wait, json_object, reason, retry_after

if TYPE_CHECKING:
    import datetime

    from requests import Response, Session

    from ropo_one.http_session import Proxy

TOKEN_PATH = "/rest/token"  # noqa: S105 - a path
STATUS_PATH = "/rest/jobs/statusupdates"

# Ropo documents a life of 2 hours; a token is renewed a little before.
TOKEN_LIFE = 110 * 60.0
UNSENT_ATTEMPTS = 3
_CHUNK = 64 * 1024
# From the answer's head on: each piece of it is waited for `read_timeout` at most, and a server that drips lets none be
# waited for so long. A page of 1000 rows is half a megabyte and comes in a second. A drain that begins its last poll at
# its bound of ten minutes, and then waits for as long as it may (300 s for the head, this, and 300 s for a last piece),
# ends within its task's half hour. A head that drips, or requests for a token that fail slowly before the poll, end
# with the task: a poll that is open then is judged in doubt.
LONGEST_ANSWER_SECONDS = 300.0
_REFUSED = (400, 403, 404)
_NOTHING_THERE = (404, 405)
# RFC 6750, 2.1. Anything else would not pass as a header, and requests' error would repeat it.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


class RopoOneHook(HttpHook):
    """Ropo One over HTTP: a token, and polls of status updates, on one keep-alive session.

    Nothing here repeats a poll that may have reached the server. A poll that failed before any byte of it left is tried
    again a few times; everything else is for the caller to decide, by the exception's base class.

    :param ropo_conn_id: Airflow connection of type ``ropo_one``: host (https unless it says otherwise), login =
        customer number (cid), password = API code; extras ``connect_timeout`` (10) and ``read_timeout`` (240), seconds,
        and ``ca_file``, certificates to trust instead of the usual ones.
    """

    conn_name_attr = "ropo_conn_id"
    default_conn_name = "ropo_one_default"
    conn_type = CONNECTION_TYPE
    hook_name = "Ropo One"

    def __init__(self, ropo_conn_id: str = default_conn_name) -> None:
        super().__init__(method="GET", http_conn_id=ropo_conn_id)
        self.ropo_conn_id = ropo_conn_id
        self._bearer = Bearer()
        self._renew_at = 0.0
        self._renewed_after_401 = False

    @cached_property
    def settings(self) -> RopoConnection:
        """The connection's fields, checked.

        :raises RopoConnectionInvalidError: see :func:`ropo_one.connection.get_connection`.
        """
        return get_connection(self.ropo_conn_id)

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
            names = ", ".join(sorted(extra_options))
            raise ValueError(f"extra_options: expected none, got {names}; timeouts are set in the connection")
        session = self._session
        session.headers.update(headers or {})
        return session

    @cached_property
    def _session(self) -> RopoSession:
        session = RopoSession(self._bearer, self.settings.ca_file)
        self.base_url = self.settings.base_url
        self._base_url_initialized = True
        self._configure_session_from_mount_adapters(session)
        return session

    def run(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: a page that ``HttpHook`` takes out of the queue is in no journal, and gone."""
        raise NotImplementedError(
            f"{self._named}: nothing was sent. A page that is asked for so is gone from Ropo One's queue, and kept "
            "nowhere: use RopoStatusDrainOperator, or RopoStatusRereadOperator and RopoInvoiceStatusOperator for the "
            "changes of a date or an invoice"
        )

    run_and_check = run
    run_with_advanced_retry = run

    def test_connection(self) -> tuple[bool, str]:
        """Fetch a token, and nothing else: the "Test" button must not take a page out of the queue."""
        try:
            self.fetch_token()
        except (PollUnsentError, PollRefusedError, ValueError) as error:
            # The button of the UI tests a copy under a random name, which would send people looking for it.
            return False, str(error).removeprefix(f"{self._named}: ")
        return True, f"{self.settings.base_url} gave a token for customer {self.settings.cid}. Nothing was polled"

    def fetch_token(self) -> None:
        """Fetch a new token; polls do so by themselves.

        :raises RopoTokenRefusedError: if Ropo One gives none: 400 with ``errorId`` and ``errorText``, as documented.
        :raises RopoRateLimitedError: if it asks to come back later.
        :raises RopoTokenUnavailableError: if no answer came, or another one.
        """
        settings = self.settings
        self._bearer.token = None
        try:
            response = self.get_conn().post(
                settings.base_url + TOKEN_PATH,
                json={"cid": settings.cid, "apicode": settings.apicode},
                timeout=(settings.connect_timeout, settings.read_timeout),
                stream=True,
            )
            with response:
                token = self._token_in(response)
        except (OSError, HTTPError) as error:  # all of requests' are OSErrors; a missing CA bundle is one of Python's
            raise RopoTokenUnavailableError(
                f"{self._named}: the token request to {settings.host}{self._through} failed: {self._cause(error)}"
            ) from None
        mask_secret(token)
        self._bearer.token = token
        self._renew_at = time.monotonic() + TOKEN_LIFE

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

    def _token_in(self, response: Response) -> str:
        """Return the token that an answer gives; see :meth:`fetch_token`.

        :raises OSError: and ``urllib3``'s HTTPError, if the answer breaks off.
        """
        settings = self.settings
        if asks_to_wait(response):
            raise self._rate_limited(response, "the token request")
        if response.status_code in (400, 401, 403):
            raise RopoTokenRefusedError(
                f"{self._named}: {settings.host} refused a token for customer {settings.cid}{self._reason(response)}. "
                "Check customer number and API code of this connection"
            )
        token = json_object(response).get("token") if response.status_code in (200, 201) else None
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            # The host may carry a gateway's path; a 404 or 405 there means that the path is wrong.
            with_path = response.status_code in _NOTHING_THERE and urlsplit(settings.base_url).path
            raise RopoTokenUnavailableError(
                f"{self._named}: expected a token from {settings.host}, got HTTP {response.status_code}, "
                f"{media_type(response.headers.get('Content-Type'))}"
                f"{'. Nothing is at the path in its host: write scheme, host and port only' if with_path else ''}"
            )
        return token

    def _poll_once(self, params: dict[str, str]) -> Answer:
        if self._bearer.token is None or time.monotonic() >= self._renew_at:
            self.fetch_token()
        settings = self.settings
        try:
            response = self.get_conn().get(
                settings.base_url + STATUS_PATH,
                params=params,
                timeout=(settings.connect_timeout, settings.read_timeout),
                stream=True,
            )
        except (requests.RequestException, HTTPError) as error:
            raise self._failed(error) from None
        with response:
            return self._answer(response)

    def _cause(self, error: Exception) -> str:
        proxy = self._proxy
        return cause(error, trusted_by=self._session.trusted_by, misread=proxy is not None and not proxy.place)

    @property
    def _proxy(self) -> Proxy | None:
        return self._session.proxy(self.settings.base_url)

    @property
    def _through(self) -> str:
        """By which proxy a request went, where it went by one, to follow a verb."""
        return f" through {proxy}" if (proxy := self._proxy) else ""

    def _failed(self, error: Exception) -> PollUnsentError | PollInDoubtError:
        """Name the cause of a request without an answer, by whether any byte of it may have left."""
        text = f"{self._named}: {self.settings.host}"
        if never_connected(error):
            return RopoUnreachableError(f"{text} cannot be reached{self._through}: {self._cause(error)}")
        if timed_out(error):
            return RopoTimeoutError(f"{text} did not answer within {self.settings.read_timeout:g} s{self._through}")
        return RopoConnectionLostError(
            f"{text} ended the connection{self._through} without a usable answer: {self._cause(error)}"
        )

    def _answer(self, response: Response) -> Answer:
        status = response.status_code
        if status in (*_REFUSED, 401, 429):
            raise self._refusal(response)
        body = self._read(response)
        content_type = response.headers.get("Content-Type")
        if status == NO_CONTENT and (body or _announces_body(response)):
            raise RopoServerError(
                f"{self._named}: {self.settings.host} answered HTTP {status}, that nothing more is there, and with a "
                "body all the same",
                http_status=status,
                body=body,
                content_type=content_type,
            )
        if status in (200, NO_CONTENT):
            self._renewed_after_401 = False
            return Answer(http_status=status, body=body, content_type=content_type)
        redirected = 300 <= status < 400
        kind, what = (RopoRedirectedError, "points elsewhere with") if redirected else (RopoServerError, "answered")
        text = f"{self._named}: {self.settings.host} {what} HTTP {status}"
        wait = retry_after(response) if asks_to_wait(response) else None
        raise kind(text, http_status=status, body=body, content_type=content_type, go_on_after=wait)

    def _read(self, response: Response) -> bytes:
        """Read the whole body; where it breaks off, what came is kept with the doubt.

        :raises PollInDoubtError: if it does not come whole, or not in time.
        :raises BaseException: whatever else ends the reading, caused by the doubt that holds what came.
        """
        body = bytearray()
        began = time.monotonic()
        try:
            # Whatever the socket has, at once: a read of a fixed size loses its beginning where it fails.
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                body += chunk
                if time.monotonic() - began >= LONGEST_ANSWER_SECONDS:
                    raise TimeoutError(f"it is not whole after {LONGEST_ANSWER_SECONDS:g} s")
        except (HTTPError, TimeoutError) as error:
            raise self._broke_off(response, bytes(body), error) from None
        except BaseException as error:
            # It goes on as what it is, the end of a task mostly.
            raise error from self._broke_off(response, bytes(body), error)
        return bytes(body)

    def _broke_off(self, response: Response, body: bytes, error: BaseException) -> PollInDoubtError:
        kind: type[PollInDoubtError] = RopoConnectionLostError
        why = type(error).__name__
        if isinstance(error, (HTTPError, TimeoutError)):
            why = self._cause(error)
            if isinstance(error, TimeoutError) or timed_out(error):
                kind = RopoTimeoutError
        after = f"broke off{self._through} after {len(body)} bytes"
        return kind(
            f"{self._named}: the answer of {self.settings.host} {after}: {why}",
            http_status=response.status_code,
            body=body,
            content_type=response.headers.get("Content-Type"),
        )

    def _refusal(self, response: Response) -> PollRefusedError:
        status = response.status_code
        if status == requests.codes.too_many_requests:
            return self._rate_limited(response, "the poll")
        text = f"{self._named}: {self.settings.host} refused the poll with HTTP {status}{self._reason(response)}"
        if status != requests.codes.unauthorized:
            return RopoRequestRefusedError(text, http_status=status)
        # A token may end before its time; a second refusal in a row is not about the token's age.
        again = None if self._renewed_after_401 else 0.0
        self._renewed_after_401 = True
        self._bearer.token = None
        return RopoUnauthorizedError(text, http_status=status, go_on_after=again)

    def _reason(self, response: Response) -> str:
        return reason(response, self.settings.apicode, self._bearer.token)

    def _rate_limited(self, response: Response, what: str) -> RopoRateLimitedError:
        return RopoRateLimitedError(
            f"{self._named}: {self.settings.host} refused {what} with HTTP {response.status_code}"
            f"{self._reason(response)}",
            http_status=response.status_code,
            go_on_after=retry_after(response),
        )


def _announces_body(response: Response) -> bool:
    """Tell whether a 204 names a length other than none; what has a 204's head is read no further, whatever follows."""
    return bool(response.headers.get("Content-Length", "").strip("0, "))


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
        return {"date": parse_date(text).isoformat()}
    except ValueError as error:
        raise ValueError(f"date: {error}") from None
