"""A scripted Ropo One on loopback, and an Airflow connection that leads there."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from typing import TYPE_CHECKING, Protocol

import psycopg2.extensions
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local_airflow.cluster import SUPERUSER
from ropo_one.hooks import RopoOneHook
from tests.plugins.ropo_one.alert_receivers import mail_server
from tests.plugins.ropo_one.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_airflow.embedded import Server
    from tests.plugins.ropo_one.alert_receivers import MailServer

CID = "1000011"
APICODE = "c0de-of-a-test"


class Connect(Protocol):
    """Sets the connection ``ropo_one_default``."""

    def __call__(self, **fields: object) -> None: ...


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxy and CA bundle are no part of these tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Ropo One, over plain HTTP."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Set the Airflow connection, as a user would in the environment."""

    def set_connection(**fields: object) -> None:
        known = {"conn_type": "ropo_one", "login": CID, "password": APICODE}
        monkeypatch.setenv("AIRFLOW_CONN_ROPO_ONE_DEFAULT", json.dumps(known | fields))

    return set_connection


@pytest.fixture
def hook(server: ScriptedServer, connect: Connect) -> RopoOneHook:
    """A hook that waits half a second for an answer."""
    connect(host=server.url, extra={"connect_timeout": 5, "read_timeout": 0.5})
    return RopoOneHook()


def certificate(directory: Path, name: str, *, is_over: bool = False) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a self-signed certificate for 127.0.0.1, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    begin, end = (now - 2 * day, now - day) if is_over else (now - day, now + day)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), begin, end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted = directory / f"{name}.pem"
    trusted.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = directory / f"{name}.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted


@pytest.fixture
def store_connection(monkeypatch: pytest.MonkeyPatch, postgres: Server, store_name: str) -> str:
    """Set the connection ``ropo_store`` to the test's own store, and the profiles to those shipped.

    :return: the store's password.
    """
    monkeypatch.delenv("ROPO_PROFILES_FILE", raising=False)
    fields = postgres.airflow_connection(store_name, SUPERUSER)
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(fields))
    return str(fields["password"])


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that Airflow's connection ``smtp_default`` leads to."""
    with mail_server() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.airflow_connection)
        yield server


@pytest.fixture
def airflow_store(store_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's store as Airflow's connection ``ropo_store``."""
    fields = psycopg2.extensions.parse_dsn(store_dsn)
    names = {"host": "host", "port": "port", "user": "login", "password": "password", "dbname": "schema"}
    connection = {"conn_type": "postgres", **{names[key]: value for key, value in fields.items() if key in names}}
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps({**connection, "port": int(fields["port"])}))


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profiles file whose one profile sends mail."""
    file = tmp_path / "profiles.yaml"
    file.write_text(
        "profiles:\n  - name: default\n    alerts:\n      to: [finance@example.com, ops@example.com]\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))
    return file
