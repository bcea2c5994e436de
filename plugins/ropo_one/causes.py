"""What a failed request tells of itself: how far it came, and why it failed."""

from __future__ import annotations

import ssl
from http.client import BadStatusLine, RemoteDisconnected
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    InvalidChunkLength,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

from ropo_one.legible import legible

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each is raised while the connection is made, and only then: no address, no connection, no trusted certificate.
_BEFORE_ANY_BYTE = (ConnectTimeoutError, NewConnectionError, ssl.SSLCertVerificationError)
# Their texts are what the server sent in place of HTTP: rows of debtors, or a token.
_QUOTING = (BadStatusLine, InvalidChunkLength)
# Their texts are a piece of an address, and a proxy's may hold its password.
_OF_ADDRESSES = (requests.exceptions.InvalidURL, LocationValueError)

# By OpenSSL's number of what is wrong with a certificate (X509_V_ERR_…); of any other its own words have to do.
_UNTRUSTED = ". If the host's certificate is from a CA of your own, name its file in the connection's extra ca_file"
_OTHER_NAME = ". The host's certificate has other names: check the connection's host"
_ADVICE = {
    9: ". It begins later: check this machine's clock",
    10: ". If this machine's clock is right, whoever runs the host must renew it",
    18: _UNTRUSTED,
    19: _UNTRUSTED,
    20: _UNTRUSTED,
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
# How requests says it.
_NO_SUCH_FILE = "TLS CA certificate bundle"
# How OpenSSL says it, in its older and newer words.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
_SPEAK_PLAIN = (
    ". The server does not speak TLS on this port: check the connection's host and port. Plain HTTP, for this "
    "machine's own addresses only, is written with its scheme, as in http://127.0.0.1:8000"
)


def never_connected(error: Exception) -> bool:
    """Tell whether a request failed before a byte of it left. Where that is not certain it did not.

    :param error: of requests or urllib3, with the errors that it wraps.
    """
    return any(isinstance(each, _BEFORE_ANY_BYTE) for each in _chain(error))


def timed_out(error: Exception) -> bool:
    """Tell whether the read timeout ran out."""
    return any(isinstance(each, ReadTimeoutError) for each in _chain(error))


def cause(error: Exception, *, trusted_by: str | None = None, misread: bool = False) -> str:
    """Name the innermost cause by class and text, legibly; the texts of the errors around it repeat the whole URL.

    Nothing that the server sent is repeated.

    :param trusted_by: what names the file of certificates that were to be trusted; None where they are the usual ones.
    :param misread: whether a proxy's password was taken for a piece of its address, which texts may repeat.
    """
    *_, innermost = _chain(error)
    name = type(innermost).__name__
    # The one among http.client's bad status lines that quotes none.
    if isinstance(innermost, _QUOTING) and not isinstance(innermost, RemoteDisconnected):
        return f"{name}: it is not HTTP"
    if misread or any(isinstance(each, _OF_ADDRESSES) for each in _chain(error)):
        return (
            f"{name}: the address of the host or of the proxy (HTTPS_PROXY) is malformed; in a proxy's user and "
            "password every special character must be percent-encoded"
        )
    # urllib3 puts the connection in front of some of its texts.
    text = legible(str(innermost).rpartition(">: ")[2])
    told = f"{name}: {text}" if text else name
    return told.removesuffix(".") + _advice(innermost, text, trusted_by)


def _advice(innermost: Exception, text: str, trusted_by: str | None) -> str:
    if isinstance(innermost, ssl.SSLCertVerificationError):
        advice = _ADVICE.get(innermost.verify_code, "")
        return f"{advice}; trusted is what {trusted_by} names" if trusted_by and advice == _UNTRUSTED else advice
    # OpenSSL's part that reads such a file; what comes of the other side is of its part SSL.
    if trusted_by and (getattr(innermost, "library", None) == "X509" or _NO_SUCH_FILE in text):
        return f". The file of certificates to trust, which {trusted_by} names, is not there or holds none in PEM"
    return _SPEAK_PLAIN if getattr(innermost, "reason", None) in _NOT_TLS else ""


def _chain(error: Exception) -> Iterator[Exception]:
    """Yield an error and those that it wraps; urllib3 keeps them in ``reason``, requests among the arguments."""
    inner: Exception | None = error
    while inner is not None:
        yield inner
        wrapped = (getattr(inner, "reason", None), *inner.args)
        inner = next((each for each in wrapped if isinstance(each, Exception)), None)
