"""The connection for mail that the documents show is one by which an alert leaves."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from include.config.profiles import load_profile
from include.watch.trial import trial
from local_airflow.paths import ROOT
from ropo_one.telling import make_notifier
from tests.plugins.ropo_one.alert_receivers import body, mail_server
from tests.plugins.ropo_one.conftest import certificate

if TYPE_CHECKING:
    import pathlib

SHOWN_IN = ("README.md", "docs/operating.md", "include/config/profiles.yaml", ".env.example")
FROM_THE_START = 465


def shown(file: str) -> list[dict[str, Any]]:
    """The connections of type SMTP that a file shows, in a comment over several lines too."""
    text = re.sub(r"\n *# *", " ", (ROOT / file).read_text(encoding="utf-8"))
    return [json.loads(each) for each in re.findall(r'\{"conn_type": "smtp".*?\}\}', text)]


@pytest.mark.parametrize("file", SHOWN_IN)
def test_what_the_documents_show_begins_with_one_and_the_same_connection(file: str) -> None:
    first, *others = shown(file)
    assert first == shown("docs/operating.md")[0]
    assert len(others) == (1 if file == "docs/operating.md" else 0)


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("place", [0, 1], ids=["starttls", "tls"])
def test_an_alert_leaves_by_the_connection_that_is_shown(
    place: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its host, port and password are the test's; what it says of TLS, of who logs in and of the sender is its own."""
    alert = trial(load_profile("default"), dag_id="ropo_alert_trial", run_id="run 1", base_url="http://localhost:8080")
    connection = shown("docs/operating.md")[place]
    context, trusted = certificate(tmp_path, "mail")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with mail_server(context, is_tls_from_the_start=connection["port"] == FROM_THE_START) as server:
        here = {**connection, "host": "127.0.0.1", "port": server.server_address[1], "password": "s3cret"}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(here))
        notify = make_notifier(load_profile("default"))
        assert notify is not None

        notify({"alert": alert})

        (message,) = server.mails()
        assert server.logins.get_nowait() == (connection["login"], "s3cret")
    assert message["From"] == connection["extra"]["from_email"]
    assert message["Subject"] == alert.subject
    assert "trial" in body(message)
