"""The configuration is checked before any DAG reads it: every mistake is said, and what would be in force."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from include.config.check import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Check = Callable[[str], tuple[int, str, str]]

SMTP = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """The command, as a user runs it, on a profiles file."""

    def check(text: str) -> tuple[int, str, str]:
        file = tmp_path / "new.yaml"
        file.write_text(text, encoding="utf-8")
        code = main([str(file)])
        captured = capsys.readouterr()
        return code, re.sub(r" +", " ", captured.out), captured.err

    return check


def test_the_shipped_file_can_be_used(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("ROPO_PROFILES_FILE", raising=False)

    assert main([]) == 0

    out = re.sub(r" +", " ", capsys.readouterr().out)
    assert "include/config/profiles.yaml" in out
    assert "Profile default: connection ropo_one_default, FI, Europe/Helsinki, EUR, from 2026-01-01" in out
    assert re.search(r"status map .*status_map\.yaml, version [0-9a-f]{12}: 2 kinds of payments, 2 codes", out)
    assert "ledger connection erp_ledger, SELECT " in out
    assert "alerts nobody is told" in out
    assert out.endswith("The configuration can be used.\n")


def test_it_names_who_is_told(check: Check) -> None:
    by_mail = "{name: a, connection: ropo_a, alerts: {to: [x@example.com, y@example.com]}}"
    by_other = f"{{name: b, alerts: {{notifier: {SMTP}, arguments: {{to: x@example.com}}}}}}"

    code, out, _ = check(f"profiles: [{by_mail}, {by_other}]")

    assert code == 0
    assert "alerts by mail to x@example.com, y@example.com" in out
    assert f"alerts by {SMTP}" in out


def test_a_file_that_does_not_load_is_one_error(check: Check, tmp_path: Path) -> None:
    assert check("profiles: [{name: a, late_day: 7}]") == (
        1, "", f"{tmp_path}/new.yaml: profile 'a', key 'late_day': is not known; did you mean late_days?\n"
    )  # fmt: skip


def test_every_mistake_that_only_a_run_would_meet_is_said(check: Check, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("ropo: {payments: {1: money}}", encoding="utf-8")

    code, out, errors = check(
        "profiles:\n"
        "  - {name: a, country: XX}\n"
        "  - {name: b, connection: ropo_b, status_map: map.yaml}\n"
        "  - {name: c, connection: ropo_c, alerts: {notifier: airflow.no_such.Notifier}}\n"
        "  - {name: d, connection: ropo_d}\n"
    )

    assert code == 1
    country, status_map, notifier = errors.splitlines()
    assert f"{tmp_path}/new.yaml: profile 'a', key 'country': the package holidays knows no public holidays" in country
    assert f"{tmp_path}/map.yaml: key 'ropo.payments.1'" in status_map
    assert f"{tmp_path}/new.yaml: profile 'c', key 'alerts': airflow.no_such.Notifier: No module" in notifier
    assert "Profile d: " in out
    assert "can be used" not in out


def test_a_select_that_cannot_be_read_is_named_with_its_line(check: Check, tmp_path: Path) -> None:
    (tmp_path / "erp.sql").write_bytes("SELECT 1\n-- lähettäjä".encode("latin-1"))

    code, _, errors = check("profiles: [{name: a, ledger: {query: erp.sql}}]")

    where = f"{tmp_path}/new.yaml: profile 'a', key 'ledger'"
    assert (code, errors) == (1, f"{where}: {tmp_path}/erp.sql: line 2 is not UTF-8: save the file as UTF-8\n")


@pytest.mark.parametrize(
    ("alerts", "problem"),
    [
        ("{notifier: Notifier}", "Notifier: expected a dotted path"),
        ("{notifier: ' pathlib.Path'}", "No module named"),
        ("{notifier: pathlib.NoSuchNotifier}", "has no attribute 'NoSuchNotifier'"),
        ("{notifier: os.sep}", "os.sep: is no Airflow notifier"),
        ("{notifier: pathlib.Path}", "pathlib.Path: is no Airflow notifier"),
        (f"{{notifier: {SMTP}, arguments: {{recipient: x@example.com}}}}", "missing a required argument: 'to'"),
    ],
)
def test_a_notifier_that_is_not_there_or_does_not_take_its_arguments_is_named(
    check: Check, alerts: str, problem: str
) -> None:
    code, _, errors = check(f"profiles: [{{name: a, alerts: {alerts}}}]")

    assert code == 1
    assert "profile 'a', key 'alerts': " in errors
    assert problem in errors


def test_two_profiles_cannot_share_a_connection(check: Check) -> None:
    code, _, errors = check("profiles: [{name: a}, {name: b, connection: ropo_b}, {name: c}]")

    assert code == 1
    assert "profile 'c', key 'connection': ropo_one_default is that of a too; a connection is one customer" in errors
    assert "ropo_b" not in errors


def test_a_start_date_that_lies_ahead_is_said(check: Check) -> None:
    code, out, _ = check("profiles: [{name: a, start_date: 2099-01-01}]")

    assert code == 0
    assert "EUR, from 2099-01-01, which lies ahead: no invoice sent before it is compared" in out
