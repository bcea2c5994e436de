"""The engineer's commands, run as an engineer runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from include.status_store import __main__ as commands
from include.status_store import page_events
from include.status_store.source import PollInDoubtError
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import doubts, drain, events, execute, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from local_airflow import embedded

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, postgres: embedded.Server, store_name: str, tmp_path: Path) -> None:
    connection = postgres.airflow_connection(store_name, "postgres")
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(connection))
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text("profiles:\n  - name: default\n  - name: other\n")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(profiles))


def test_it_runs_as_a_command_of_its_own(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))

    done = subprocess.run(
        [sys.executable, "-m", "include.status_store", "doubts"],
        capture_output=True, check=False, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("default: poll 1 of ")
    assert ", pending, dates " in done.stdout
    assert done.stdout.endswith(" (before any 204): lost\nother: none\n")


def test_whoever_has_read_enough_of_what_it_says_ends_it_without_a_word(session: Session, profile: Profile) -> None:
    many = [row(number, amount="a lot") for number in range(4_000)]
    drain(session, profile, ScriptedSource(page(*many)))

    with subprocess.Popen(
        [sys.executable, "-m", "include.status_store", "quarantine"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as command:  # fmt: skip
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.readline().startswith("default: ")
        command.stdout.close()
        assert (command.wait(60), command.stderr.read()) == (128 + signal.SIGPIPE, "")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = commands.main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_replay_says_what_it_took_for_each_profile(
    session: Session, store: Connection, profile: Profile,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail(*_: object) -> None:
        raise KeyError

    with monkeypatch.context() as fault:
        fault.setattr(page_events, "parse_rows", fail)
        drain(session, profile, ScriptedSource(page(row(1), row(2))))

    code, said, _ = run(capsys, "replay")

    assert (code, events(store)) == (0, ["P1", "P2"])
    assert said.splitlines() == [
        "default: 1 page and 0 rows taken, 2 new events; still waiting: 0 pages and 0 rows",
        "other: 0 pages and 0 rows taken, 0 new events; still waiting: 0 pages and 0 rows",
    ]


def test_quarantine_shows_personal_data_only_when_asked(
    session: Session, profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = page(row(1, amount="a lot", statustext="Matti Meikäläinen"))
    drain(session, profile, ScriptedSource(bad))

    _, said, _ = run(capsys, "quarantine", "--profile", "default")
    _, raw, _ = run(capsys, "quarantine", "--raw")

    assert "row 1 (poll 1, place 0, seen 1 time since " in said
    assert "amount: expected" in said
    assert "Meik" not in said
    assert "Meik" in raw


@pytest.mark.parametrize("command", ["doubts", "quarantine", "undrained"])
def test_a_list_of_nothing_says_so(store: Connection, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert run(capsys, command, "--profile", "default") == (0, "default: none\n", "")


def test_page_writes_the_answer_byte_for_byte_or_says_that_texts_were_erased(
    session: Session, store: Connection, profile: Profile
) -> None:
    answer = page(row(1, statustext="hyvää päivää €"))
    drain(session, profile, ScriptedSource(answer))

    def written() -> tuple[bytes, str]:
        done = subprocess.run(
            [sys.executable, "-m", "include.status_store", "page", "1"],
            capture_output=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        return done.stdout, done.stderr.decode()

    assert written() == (answer.body, "")
    execute(store, "UPDATE ropo.status_page SET redacted_at = '2026-11-20 12:00Z'")
    said = "Texts of it were erased 2026-11-20: these are not the bytes that came.\n"
    assert written() == (answer.body, said)


def test_accept_and_dismiss_keep_who_and_why(
    session: Session, store: Connection, profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    drain(session, profile, ScriptedSource(page(row(1, amount="a lot")), PollInDoubtError("lost")))
    execute(store, "UPDATE ropo.status_poll SET recovery = 'unproven' WHERE recovery = 'pending'")

    assert run(capsys, "accept", "2", "--note", "seen", "--by", "Anna") == (0, "Poll 2 is accepted.\n", "")
    assert run(capsys, "dismiss", "1", "--note", "a test row", "--by", "Anna") == (0, "Row 1 is dismissed.\n", "")

    assert doubts(store) == [("accepted", None)]
    assert query(store, "SELECT accepted_by, accepted_note FROM ropo.status_poll WHERE poll_id = 2") == [
        ("Anna", "seen")
    ]
    assert query(store, "SELECT resolution FROM ropo.status_quarantine") == [("dismissed by Anna: a test row",)]


def test_accept_takes_a_doubt_that_cannot_be_asked_about_where_it_is_told_so(
    session: Session, store: Connection, profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))
    accept = ("accept", "1", "--note", "typed wrongly", "--by", "Anna")

    code, _, refused = run(capsys, *accept)
    assert code == 1
    assert "accepted with --not-asked" in refused
    assert run(capsys, *accept, "--not-asked") == (0, "Poll 1 is accepted.\n", "")
    (accepted,) = doubts(store)
    assert accepted[0] == "accepted"


def test_what_was_marked_in_doubt_is_told_by_its_dates(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    span = ("--from", "2026-11-19T10:00", "--to", "2026-11-19T11:00", "--note", "restored", "--by", "Anna")
    assert run(capsys, "mark-in-doubt", "--profile", "default", *span) == (
        0,
        "default: poll 1 stands for the span in doubt; the next run of ropo_status_drain re-reads dates 2026-01-01 to "
        "2026-11-20 (before any 204).\n",
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("doubts", "--profile", "nobody"), "profile 'nobody': is not in the file (any more); the file has: default"),
        (("accept", "7", "--note", "seen", "--by", "Anna"), "There is no poll 7"),
        (("dismiss", "7", "--note", " ", "--by", "Anna"), "note: expected a text, it is empty"),
        (("page", "7"), "Poll 7 has no page"),
        (("dismiss", str(10**30), "--note", "x", "--by", "Anna"), "waits in quarantine"),
        (("mark-in-doubt", "--profile", "default", "--from", "yesterday", "--to", "2026-11-20", "--note", "x"),
         "--from: expected a moment such as 2026-11-20T14:30 or 2026-11-20T14:30+02:00, got 'yesterday'"),
        (("mark-in-doubt", "--profile", "default", "--from", "2026-11-19", "--to", "now", "--note", "x"),
         "--to: expected a moment such as 2026-11-20T14:30 or 2026-11-20T14:30+02:00, got 'now'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    code, said, failed = run(capsys, *arguments)

    assert (code, said) == (1, "")
    assert error in failed
    assert "Traceback" not in failed


def test_a_user_without_a_name_is_asked_for_one_only_where_it_matters(
    store: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)

    assert run(capsys, "doubts") == (0, "default: none\nother: none\n", "")
    assert run(capsys, "accept", "1", "--note", "x") == (1, "", "--by: expected a name; the system's user has none\n")


def test_without_a_store_it_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE")

    code, _, failed = run(capsys, "doubts")

    assert (code, failed) == (1, "AIRFLOW_CONN_ROPO_STORE is not set; it names the store, as an Airflow connection\n")


def test_an_unmigrated_store_says_the_command(
    postgres: embedded.Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres.fresh_database("bare")
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(postgres.airflow_connection(name, "postgres")))

    code, _, failed = run(capsys, "replay")

    assert code == 1
    assert failed == (
        f"The store (connection ropo_store, database {name}) has not been set up: run `make migrate` "
        "(with Docker `docker compose run --rm migrate`)\n"
    )


def test_retire_keeps_who_and_why_of_a_profile_that_the_file_lacks(
    session: Session, store: Connection, profile: Profile, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))
    asked = ("retire", "default", "--note", "given up", "--by", "Anna")
    register = "SELECT profile, fingerprint, ended_at FROM ropo.alert"

    refused = "Profile default is in the profiles file: take it out first, then retire it\n"
    assert run(capsys, *asked) == (1, "", refused)
    assert query(store, register) == []

    (tmp_path / "profiles.yaml").write_text("profiles:\n  - name: other\n")
    code, said, _ = run(capsys, *asked)
    assert (code, said.partition(". ")[0]) == (0, "Profile default is retired")
    assert query(store, register) == [("default", "retired by Anna: given up", None)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gon", "--note", "given up"), "The store has no profile gon: nothing was ever drained under that name\n"),
        (("gone", "--note", " "), "note: expected a text, it is empty\n"),
    ],
)
def test_retire_refuses_a_name_that_the_store_does_not_know_and_a_note_that_is_none(
    store: Connection, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(capsys, "retire", *arguments, "--by", "Anna") == (1, "", said)
