"""The command by which people list breaks and decide about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from include.reconciliation import breaks as commands
from include.reconciliation.categories import reason_in_words
from tests.include.reconciliation.test_breaks import OVER, broken

if TYPE_CHECKING:
    from pathlib import Path

    from tests.include.reconciliation.world import World


@pytest.fixture
def _environment(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", world.store_dsn)
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text("profiles:\n  - name: default\n  - name: other\n")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(profiles))


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = commands.main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.usefixtures("_environment")
def test_the_command_lists_accepts_comments_and_shows_the_history(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.payment("small", "1.50")
    world.row("small")
    broken(world, "large")
    world.ledger("UPDATE ropo_ledger SET currency = 'SEK' WHERE billnum = 'small'")
    world.reconcile(now=OVER)
    age = world.store("SELECT age_days FROM ropo.break_today LIMIT 1")[0][0]

    code, said, _ = command(capsys, "list")
    what, when = "ledger_behind, Ropo is further in payment", f"{age} days old (since 2026-03-10), seen 2 times"
    assert (code, said.splitlines()) == (
        0,
        [
            f"default: break 1, high, open, invoice large: {what}; 100.00 EUR at stake; {when}",
            f"default: break 2, high, open, invoice small: {what}; 1.50 SEK at stake; {when}",
            "other: none",
        ],
    )
    assert command(capsys, "list", "--limit", "1")[1].splitlines()[1] == "default: there are more; --limit shows them"
    assert command(capsys, "list", "--severity", "low")[1] == "default: none\nother: none\n"
    found = command(capsys, "list", "--billnum", "small", "--state", "any", "--profile", "default")[1]
    assert len(found.splitlines()) == 1

    assert command(capsys, "accept", "2", "--note", "rounding", "--by", "Anna") == (0, "1 accepted.\n", "")
    assert command(capsys, "comment", "1", "2", "--note", "seen", "--by", "Otto") == (0, "2 commented.\n", "")
    assert "; accepted by Anna: rounding" in command(capsys, "list", "--state", "accepted")[1]
    history = [line[25:] for line in command(capsys, "history", "2")[1].splitlines()]
    assert history == [
        "opened by reconciliation (reconciliation 1)",
        "changed by reconciliation (reconciliation 2): currency from EUR to SEK",
        "accepted by Anna: rounding",
        "commented by Otto: seen",
    ]


@pytest.mark.usefixtures("_environment")
def test_the_history_tells_a_reason_that_changed_in_words(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.comment("1", "101", "2026-03-10 12:00")  # paid, as Ropo One calls it
    world.payment("1", "50")
    world.row("1")
    world.reconcile(now=OVER)
    world.ledger("UPDATE ropo_ledger SET paid = 50, open = 50")
    world.reconcile(now=OVER)

    changed = command(capsys, "history", "1")[1].splitlines()[1]

    before, after = (reason_in_words("ledger_behind", reason) for reason in ("payment", "closed_in_ropo"))
    assert f"reason from “{before}” to “{after}”" in changed


@pytest.mark.usefixtures("_environment")
def test_the_command_opens_accepted_breaks_again_all_or_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    broken(world, "1", "2", "3")
    command(capsys, "accept", "1", "2", "--note", "known", "--by", "Anna")
    again = ("--note", "the wrong customer", "--by", "Otto")
    assert command(capsys, "reopen", "1", "3", *again) == (
        1, "", "Nothing was opened again: break 3 is open, not accepted\n",
    )  # fmt: skip
    assert command(capsys, "list", "--state", "accepted", "--profile", "default")[1].count("accepted by Anna") == 2
    assert command(capsys, "reopen", "1", "2", *again) == (0, "2 opened again.\n", "")
    assert len(command(capsys, "list", "--profile", "default")[1].splitlines()) == 3
    history = [line[25:] for line in command(capsys, "history", "1")[1].splitlines()]
    assert history[-2:] == ["accepted by Anna: known", "reopened by Otto: the wrong customer"]


@pytest.mark.usefixtures("_environment")
def test_the_command_accepts_by_filter_what_is_expected_and_nothing_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(world, "1", "2")
    by_filter = ("accept", "--profile", "default", "--category", "ledger_behind", "--by", "Anna", "--note", "ok")
    assert command(capsys, *by_filter, "--expect", "3") == (
        1, "", "Nothing was accepted: there are 2 such breaks, not 3\n",
    )  # fmt: skip
    assert command(capsys, *by_filter, "--expect", "2") == (0, "2 accepted.\n", "")


@pytest.mark.usefixtures("_environment")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("accept", "--note", "x", "--by", "A"), "expected the ids of breaks, or a --profile"),
        (("accept", "1", "--profile", "default", "--note", "x", "--by", "A"), "expected the ids of breaks, or a"),
        (("accept", "--profile", "default", "--note", "x", "--by", "A"), "--expect: expected the number of breaks"),
        (("accept", "5", "--expect", "1", "--note", "x", "--by", "A"), "--severity, --expect: only with"),
        (
            ("accept", "5", "--severity", "low", "--note", "x", "--by", "A"),
            "--severity, --expect: only with",
        ),
        (("accept", "5", "--note", " ", "--by", "A"), "note: expected a text, it is empty"),
        (("comment", "5", "--note", "x", "--by", "A"), "Nothing was commented: break 5 is unknown"),
        (("reopen", "5", "--note", "x", "--by", "A"), "Nothing was opened again: break 5 is unknown"),
        (("reopen", "5", "--note", " ", "--by", "A"), "note: expected a text, it is empty"),
        (("history", "5"), "there is no break 5"),
        (
            ("list", "--profile", "nobody"),
            "profile 'nobody': is not in the file (any more); the file has: default, other",
        ),
    ],
)
def test_a_mistake_is_one_clear_error(
    world: World, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    code, said, failed = command(capsys, *arguments)
    assert (code, said) == (1, "")
    assert error in failed
    assert "Traceback" not in failed
