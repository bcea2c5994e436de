"""Alerts go by mail, or by the notifier that the profile names; a mistake there is one clear error."""

from __future__ import annotations

import asyncio
import datetime
import logging
import pathlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.config.alerts import Alerts
from include.watch.verdicts import RedVerdicts
from ropo_one.alerts import (
    RedVerdictNotifier,
)
from ropo_one.deadline import tell_missing_verdicts, tell_of_missing
from ropo_one.operators.reconciliation import RedVerdictError
from ropo_one.operators.watch import WatchOperator
from ropo_one.telling import AlertsMisconfiguredError, make_notifier, tell_topic
from tests.include.status_store.views import execute
from tests.include.watch.records import broken, record
from tests.plugins.ropo_one.alert_receivers import Instance, MailServer, body, context_of

if TYPE_CHECKING:
    from airflow.sdk import Context
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session

DAY = datetime.date(2026, 10, 5)
NOW = datetime.datetime(2026, 10, 6, 3, tzinfo=datetime.UTC)
logger = logging.getLogger("alerts")


class FileNotifier(BaseNotifier):
    """A notifier of a user's own: appends its templated text to a file."""

    template_fields = ("text",)

    def __init__(self, *, path: str, text: str) -> None:
        super().__init__()
        self.path = path
        self.text = text

    def notify(self, context: Context) -> None:
        with pathlib.Path(self.path).open("a", encoding="utf-8") as file:
            file.write(self.text)


def with_alerts(profile: Profile, **alerts: Any) -> Profile:
    return msgspec.structs.replace(profile, alerts=Alerts(**alerts))


def tell_red(session: Session, profile: Profile) -> int:
    return tell_topic(session, RedVerdicts(profile, NOW), {}, logger.warning)


def test_a_red_verdict_goes_by_mail_to_everyone_that_the_profile_names(
    session: Session, store: Connection, profile: Profile, mail: MailServer
) -> None:
    record(store, DAY, "breaks", breaks=(broken("INV<1>", "10.00"),), reasons=("breaks",))

    assert tell_red(session, with_alerts(profile, to=("finance@example.com", "ops@example.com"))) == 1

    (message,) = mail.mails()
    assert message["Subject"] == "[Ropo One] default: 2026-10-05 is red: 1 break"
    assert message["To"] == "finance@example.com, ops@example.com"
    assert message["From"] == "ropo@example.com"
    assert "Invoice INV&lt;1&gt;: ledger behind" in body(message)
    assert "/reconciliation/" in body(message)


def test_any_airflow_notifier_takes_the_place_of_mail(
    session: Session, store: Connection, profile: Profile, tmp_path: pathlib.Path, mail: MailServer
) -> None:
    record(store, DAY, "incomplete", reasons=("reread_failed",))
    arguments = {"path": str(tmp_path / "told"), "text": "{{ alert.subject }}\n{{ alert.text }}"}
    own = with_alerts(profile, notifier=f"{FileNotifier.__module__}.FileNotifier", arguments=arguments)

    tell_red(session, own)

    lines = (tmp_path / "told").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "[Ropo One] default: 2026-10-05 is red: incomplete (reread failed)"
    assert "- because of reread_failed" in lines
    assert mail.mails() == []


def test_what_the_mail_server_refuses_is_told_by_the_next_look(
    session: Session, store: Connection, profile: Profile, mail: MailServer
) -> None:
    record(store, DAY, "breaks", break_count=1)
    told = with_alerts(profile, to=("finance@example.com",))
    mail.refuses = True
    with pytest.raises(Exception, match="no such person"):
        tell_red(session, told)
    mail.refuses = False

    assert tell_red(session, told) == 1
    assert len(mail.mails()) == 1


def test_where_nobody_is_named_the_log_has_it(
    session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    record(store, DAY, "breaks", breaks=(broken("INV1", "10.00"),))

    tell_red(session, profile)

    assert "2026-10-05 is red: 1 break (the profile's `alerts` name nobody to tell)" in caplog.text
    assert "INV1" not in caplog.text


def test_where_nobody_is_named_the_log_has_every_date_and_no_invoice(
    session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    for date in (DAY, DAY - datetime.timedelta(days=1)):
        record(store, date, "breaks", breaks=(broken("INV1", "10.00"),))

    tell_red(session, profile)

    assert "default: 2026-10-05 is red: 1 break" in caplog.text
    assert "default: 2026-10-04 is red: 1 break" in caplog.text
    assert "INV1" not in caplog.text


@pytest.mark.parametrize(
    ("notifier", "arguments"),
    [
        ("no.such.module.Notifier", {}),
        ("Notifier", {}),
        ("airflow.providers.smtp.notifications.smtp.NoSuchNotifier", {}),
        ("pathlib.Path", {}),
        ("airflow.providers.smtp.notifications.smtp.SmtpNotifier", {"recipient": "x@example.com"}),
    ],
)
def test_a_notifier_that_cannot_be_made_is_one_error_that_names_file_profile_and_key(
    profile: Profile, profiles: pathlib.Path, notifier: str, arguments: dict[str, str]
) -> None:
    with pytest.raises(AlertsMisconfiguredError) as error:
        make_notifier(with_alerts(profile, notifier=notifier, arguments=arguments))

    assert f"{profiles}: profile 'default', key 'alerts': {notifier}: " in str(error.value)


def a_gap_and_red_dates(store: Connection) -> None:
    """Never drained; of the last days one has no verdict, one is red and one is red as a whole, at any hour."""
    today = datetime.datetime.now(datetime.UTC).date()
    for days, verdict in ((4, "reconciled"), (2, "breaks"), (1, "reconciled"), (0, "reconciled")):
        record(store, today - datetime.timedelta(days=days), verdict, break_count=int(verdict == "breaks"))
    record(store, today, "breaks", breaks=(broken("INV1", "10.00"),), scope="full")


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_the_watch_tells_each_topic_once_and_says_how_many(store: Connection, mail: MailServer) -> None:
    a_gap_and_red_dates(store)
    watch = WatchOperator(task_id="watch", profile="default")
    context: Any = {"ti": Instance()}

    first, second = watch.execute(context), watch.execute(context)

    assert first["told"] == {
        "old_doubts": 0,
        "not_emptied": 1,
        "not_parsed": 0,
        "other_consumer": 0,
        "begins_ahead": 0,
        "missing_profile": 0,
        "missing_verdict": 1,
        "red_verdict": 1,
        "missing_full_comparison": 0,
        "red_full_comparison": 1,
        "signed_period_changed": 0,
        "failed_task": 0,
    }
    assert second["told"] == dict.fromkeys(first["told"], 0)
    assert len(mail.mails()) == 4


@pytest.mark.usefixtures("airflow_store")
def test_the_watch_tells_a_start_date_that_lies_ahead_and_a_profile_that_the_file_lacks(
    store: Connection, profiles: pathlib.Path, mail: MailServer
) -> None:
    profiles.write_text(
        "profiles:\n  - {name: default, start_date: 2062-01-01, alerts: {to: [ops@example.com]}}\n", encoding="utf-8"
    )
    record(store, DAY)
    execute(store, "INSERT INTO ropo.profile_pin (profile, host, cid) VALUES ('gone', 'h', 'c')")
    execute(
        store,
        "INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from) "
        "VALUES ('gone', 'drain', 'empty', now() - interval '2 hours', now() - interval '2 hours', '2026-10-01')",
    )
    context: Any = {"ti": Instance()}

    told = WatchOperator(task_id="watch", profile="default").execute(context)["told"]

    assert (told["begins_ahead"], told["missing_profile"]) == (1, 1)
    subjects = " ".join(str(each["Subject"]) for each in mail.mails())
    assert "start_date lies ahead (2062-01-01)" in subjects
    assert "profile gone is not in the profiles file any more" in subjects


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_where_one_alert_cannot_be_sent_the_watch_fails_after_it_has_tried_them_all(
    store: Connection, mail: MailServer
) -> None:
    a_gap_and_red_dates(store)
    mail.refuses = True
    context: Any = {"ti": Instance()}

    with pytest.raises(AirflowException, match=r"missing_verdict \(SMTP.*red_verdict \(SMTP.*The next run tells them"):
        WatchOperator(task_id="watch", profile="default").execute(context)


@pytest.mark.usefixtures("airflow_store", "profiles")
@pytest.mark.parametrize(("run_type", "mails"), [("scheduled", 1), ("manual", 1), ("backfill", 0)])
def test_a_red_verdict_is_told_by_its_task_but_in_a_backfill_which_leaves_it_to_the_watch(
    store: Connection, mail: MailServer, run_type: str, mails: int
) -> None:
    context = context_of("ropo_reconciliation", "profile.verdict", SimpleNamespace(profile="default"))
    context["dag_run"].run_type = run_type
    record(store, datetime.date.fromisoformat(context["dag_run"].partition_key), "breaks", break_count=1)

    RedVerdictNotifier()(context)

    assert len(mail.mails()) == mails


@pytest.mark.usefixtures("airflow_store", "profiles")
@pytest.mark.parametrize(
    ("notifier", "params", "what"),
    [
        (RedVerdictNotifier("full"), {}, "the full comparison of 2026-10-31"),
        (RedVerdictNotifier(), {"scope": "full"}, "the full comparison of 2026-10-31"),
        (RedVerdictNotifier(), {"scope": "date"}, "2026-10-31"),
    ],
    ids=["the DAG of full comparisons", "a run in full", "a run of a date"],
)
def test_a_task_tells_the_verdict_of_its_own_scope(
    store: Connection, mail: MailServer, notifier: RedVerdictNotifier, params: dict[str, str], what: str
) -> None:
    context = context_of("ropo_reconciliation", "profile.verdict", SimpleNamespace(profile="default"))
    context["params"] = params
    date = datetime.date.fromisoformat(context["dag_run"].partition_key)
    for scope in ("date", "full"):
        record(store, date, "breaks", breaks=(broken("INV1", "10.00"),), scope=scope)

    notifier(context)

    (sent,) = mail.mails()
    assert str(sent["Subject"]) == f"[Ropo One] default: {what} is red: 1 break"


@pytest.mark.usefixtures("airflow_store", "profiles")
@pytest.mark.parametrize(
    ("failure", "mails"),
    [(AirflowFailException("compare recorded no reconciliation"), 0), (RedVerdictError("breaks"), 1), ("killed", 1)],
)
def test_a_run_that_recorded_nothing_does_not_tell_what_an_earlier_one_found(
    store: Connection, mail: MailServer, failure: object, mails: int
) -> None:
    context = context_of("ropo_reconciliation", "profile.verdict", SimpleNamespace(profile="default"))
    context["exception"] = failure
    record(store, datetime.date.fromisoformat(context["dag_run"].partition_key), "breaks", break_count=1)

    RedVerdictNotifier()(context)

    assert len(mail.mails()) == mails


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_missed_deadline_names_the_profiles_without_a_verdict_and_no_other(
    store: Connection, mail: MailServer
) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    date = today - datetime.timedelta(days=2)
    for later in (today - datetime.timedelta(days=1), today):
        record(store, later)
    context = {"dag_run": {"partition_key": date.isoformat()}, "deadline": {}}

    assert tell_of_missing(["default"], context) == f"{date}: told of default"
    (message,) = mail.mails()
    assert message["Subject"] == f"[Ropo One] default: {date} has no verdict by 07:00"

    record(store, date, "incomplete")
    assert tell_of_missing(["default"], context) == f"{date}: nothing new to tell of default"
    assert mail.mails() == []


@pytest.mark.usefixtures("airflow_store")
def test_a_profile_that_cannot_be_told_or_is_gone_takes_the_deadline_from_no_other(
    mail: MailServer, profiles: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    profiles.write_text(
        "profiles:\n"
        "  - {name: broken, alerts: {notifier: no.such.Notifier}}\n"
        "  - {name: se, alerts: {to: [se@example.com]}}\n",
        encoding="utf-8",
    )
    date = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=2)
    context = {"dag_run": {"partition_key": date.isoformat()}, "deadline": {}}

    with pytest.raises(AirflowException, match=r"told of broken \(AlertsMisconfiguredError\); told of se\. The trig"):
        tell_of_missing(["broken", "gone", "se"], context)

    (message,) = mail.mails()
    assert message["To"] == "se@example.com"
    assert f"Profile gone is no longer in {profiles}: no alert is sent for it" in caplog.text
    assert tell_of_missing(["gone", "se"], context) == f"{date}: nothing new to tell of se"


def late_by(context: dict[str, Any], now: datetime.datetime, **span: float) -> dict[str, Any]:
    """A deadline's context, as the triggerer hands it on: of a run that was made so long after the deadline, or before.

    :param now: when it was made.
    """
    deadline = {"deadline_time": now - datetime.timedelta(**span)}
    return {"dag_run": {**context["dag_run"], "queued_at": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"}, "deadline": deadline}


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_run_that_was_made_after_its_deadline_has_an_hour_for_its_verdict(
    mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going live by day makes the run of yesterday, whose deadline was at seven."""
    now = datetime.datetime.now(datetime.UTC)
    date = now.date() - datetime.timedelta(days=2)
    context = {"dag_run": {"partition_key": date.isoformat()}}

    async def tell(made: datetime.datetime, **span: float) -> str:
        return await asyncio.wait_for(tell_missing_verdicts(["default"], late_by(context, made, **span)), 5)

    with pytest.raises(TimeoutError):
        asyncio.run(tell(now, hours=3))
    assert mail.mails() == []

    hour_ago = now - datetime.timedelta(hours=1)
    assert asyncio.run(tell(hour_ago, hours=3)) == f"{date}: told of default"
    assert len(mail.mails()) == 1
    assert asyncio.run(tell(now, hours=-7)) == f"{date}: nothing new to tell of default"


UNDER_WAY = "SELECT profile, task, run_id, business_date, until > now() FROM ropo.task_under_way"
