"""The command shows what a month lacks, and signs one that lacks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from include.reconciliation import sign_off
from tests.include.reconciliation.month import FIRST, LAST, NOW, accepts, owe, reopens, run, run_all, signs

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = sign_off.main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def _environment(march: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", march.store_dsn)
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text("profiles:\n  - name: default\n    start_date: 2026-03-30\n")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(profiles))


@pytest.mark.usefixtures("_environment")
def test_the_command_shows_what_is_unmet_and_signs_what_is_met(
    march: World, capsys: pytest.CaptureFixture[str]
) -> None:
    at_march = ("2026-03", "--profile", "default")
    code, said, _ = command(capsys, "status", *at_march)
    assert (code, said.splitlines()) == (
        0,
        [
            "default 2026-03: not signed",
            "  not_reconciled: 2026-03-30 has no reconciliation; run the date",
            "  not_reconciled: 2026-03-31 has no reconciliation; run the date",
            "  full_missing: no full comparison of 2026-03-31 or later was made after the month's end; "
            "run the DAG ropo_full_comparison with the date 2026-03-31",
        ],
    )
    assert command(capsys, "sign", *at_march, "--by", "Anna")[0] == 1
    run(march, FIRST)
    march.reconcile(LAST, now=NOW)
    run(march, LAST, scope="full")
    accepting = ("accept-incomplete", "2026-03-31", "--profile", "default", "--note", "ok", "--by", "Anna")
    assert command(capsys, *accepting) == (
        0, "default 2026-03-31: reconciliation 2 is accepted as incomplete.\n", "",
    )  # fmt: skip
    assert command(capsys, "status", *at_march)[1].splitlines()[-1] == "  every condition holds: it can be signed"
    assert command(capsys, "sign", *at_march, "--by", "Anna", "--note", "March") == (
        0, "default 2026-03 is signed by Anna (sign-off 1); another person countersigns it.\n", "",
    )  # fmt: skip
    assert command(capsys, "countersign", *at_march, "--by", "Otto")[0] == 0
    march.ledger("DELETE FROM ropo_ledger WHERE billnum = '2'")
    run(march, LAST)
    said = command(capsys, "status", *at_march)[1]
    assert "default 2026-03: signed by Anna at " in said
    assert ": March\n" in said
    assert "default 2026-03: countersigned by Otto at " in said
    assert ": result_changed of 2026-03-31 (reconciliation 4): incomplete (" in said
    assert ": break_opened of 2026-03-31, break 1 (reconciliation 4): invoice 2: missing in the ledger\n" in said
    assert "  open_breaks: 1 invoice of 2026-03-31 differs: invoice 2; " in said


@pytest.mark.usefixtures("_environment")
def test_what_a_person_opened_again_is_named_without_a_reconciliation(
    march: World, capsys: pytest.CaptureFixture[str]
) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    reopens(march)
    said = command(capsys, "status", "2026-03", "--profile", "default")[1]
    assert (
        "): break_reopened of 2026-03-30, break 1: invoice 1: ledger behind, opened again by Otto: the wrong cust"
        in said
    )


@pytest.mark.usefixtures("_environment")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("status", "2026-13", "--profile", "default"), "period: expected a month as YYYY-MM, got '2026-13'"),
        (("status", "9999-12", "--profile", "default"), "period: expected a month as YYYY-MM, got '9999-12'"),
        (("sign", "2026-03", "--profile", "nobody", "--by", "Anna"), "profile 'nobody': is not in the file"),
        (("countersign", "2026-03", "--profile", "default", "--by", "Anna"), "2026-03 is not signed yet"),
    ],
)
def test_a_mistake_is_one_clear_error(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    code, said, failed = command(capsys, *arguments)
    assert (code, said) == (1, "")
    assert error in failed
    assert "Traceback" not in failed
