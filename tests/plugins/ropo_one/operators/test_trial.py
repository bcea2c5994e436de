"""A trial shows that alerts arrive, and fails where none would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ropo_one.operators.trial import TrialAlertOperator
from ropo_one.telling import AlertsMisconfiguredError
from tests.plugins.ropo_one.alert_receivers import Instance, MailServer, body

if TYPE_CHECKING:
    import pathlib


def send() -> None:
    """Run the task of the profile ``default``."""
    context: Any = {"ti": Instance()}
    TrialAlertOperator(task_id="send", profile="default").execute(context)


@pytest.fixture(autouse=True)
def _no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has to work before there is a store, and while it is away."""
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE", raising=False)


@pytest.mark.usefixtures("profiles")
def test_it_goes_to_whom_the_profile_names_and_says_that_it_is_a_trial(
    mail: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    send()

    (message,) = mail.mails()
    assert message["To"] == "finance@example.com, ops@example.com"
    assert message["Subject"] == "[Ropo One] default: this is a trial of the alerts"
    assert "Nothing has happened" in body(message)
    assert f"/dags/{Instance.dag_id}/runs/run%201" in body(message)
    assert "handed to the mail server, for finance@example.com, ops@example.com" in capsys.readouterr().out


@pytest.mark.usefixtures("profiles")
def test_each_one_is_sent(mail: MailServer) -> None:
    """Nothing remembers that there was one before."""
    send()
    send()

    assert len(mail.mails()) == 2


@pytest.mark.usefixtures("profiles")
def test_one_that_does_not_leave_fails(mail: MailServer) -> None:
    mail.refuses = True

    with pytest.raises(Exception, match="no such person"):
        send()


@pytest.mark.usefixtures("profiles")
def test_a_connection_without_a_sender_fails(mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    named = mail.airflow_connection.replace('"from_email": "ropo@example.com"', '"retry_limit": 0')
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", named)

    with pytest.raises(ValueError, match="from_email"):
        send()

    assert mail.mails() == []


def test_where_nobody_is_named_it_fails_with_file_profile_and_the_keys_to_set(
    profiles: pathlib.Path, mail: MailServer
) -> None:
    profiles.write_text("profiles:\n  - name: default\n", encoding="utf-8")

    with pytest.raises(AlertsMisconfiguredError) as error:
        send()

    assert str(error.value) == (
        f"{profiles}: profile 'default', key 'alerts': names nobody to tell; set alerts.to to mail addresses, or "
        "alerts.notifier to the dotted path of an Airflow notifier"
    )
    assert mail.mails() == []
