"""A SELECT is checked on the live ledger before any DAG runs, and what is missing is said."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from include.config.profiles import FILE_VARIABLE
from include.reconciliation import check_ledger
from include.reconciliation.ledger_contract import COLUMNS
from include.status_store.database import STORE_VARIABLE
from local_airflow.paths import ROOT
from local_airflow.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.include.reconciliation.world import World

LEDGER_VARIABLE = "AIRFLOW_CONN_ERP_LEDGER"
SELECT = "SELECT * FROM ropo_ledger"


def _connection(dsn: str) -> str:
    parts = parse_dsn(dsn)
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": parts["host"],
            "port": int(parts["port"]),
            "login": parts["user"],
            "password": parts["password"],
            "schema": parts["dbname"],
        }
    )


class Checked:
    """The command, as a user runs it, on the world's ledger."""

    def __init__(self, world: World, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.folder = folder
        self.capsys = capsys

    def __call__(self, query: str = SELECT, *arguments: str) -> tuple[int, str]:
        """Return the exit code and what was printed, with every run of spaces as one."""
        (self.folder / "erp.sql").write_text(query)
        profiles = "profiles:\n  - name: default\n    ledger: {query: erp.sql}\n"
        (self.folder / "profiles.yaml").write_text(profiles)
        code = check_ledger.main(["--profile", "default", *arguments])
        captured = self.capsys.readouterr()
        return code, re.sub(r" +", " ", captured.out + captured.err)


@pytest.fixture
def checked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Checked:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "profiles.yaml"))
    monkeypatch.setenv(LEDGER_VARIABLE, _connection(world.ledger_dsn))
    monkeypatch.setenv(STORE_VARIABLE, _connection(world.store_dsn))
    return Checked(world, tmp_path, capsys)


def test_a_ledger_that_keeps_the_contract(world: World, checked: Checked) -> None:
    world.comment("1", "98")
    world.payment(None, "20", jobid="J2")
    world.comment("3", "98", jobid="J30")
    world.row("1")
    world.row("2", "paid", paid="90", credited="10")
    world.row("3", jobid=None, currency=None)
    world.row("4", "paid", paid="98", discount=None, open=None)
    code, said = checked()
    assert code == 0, said
    assert "Profile default: connection erp_ledger, query " in said
    assert "ok columns all 12 are there" in said
    assert "ok rows 4, of which 4 were sent; newest change 2026-03-09 08:00:00+00" in said
    assert "ok status every word is among the 4 of the status map" in said
    assert "ok sample of 3 invoices that Ropo spoke of last, 2 found by jobid and 1 more by invoice number" in said
    assert said.endswith("The contract is kept; it stands in include/erp/generic.sql.\n")
    assert "note" not in said


def test_every_column_at_fault_is_named_at_once(checked: Checked) -> None:
    code, said = checked("SELECT billnum, total::money, total AS paid, total AS paid, status FROM ropo_ledger")
    assert code == 1
    assert "WRONG columns column jobid is missing, expected one of type text" in said
    assert "column total is of type money, expected numeric; money rounds" in said
    assert "column paid stands twice" in said
    assert "column changed_at is missing" in said
    assert "The contract is not kept in 1 point;" in said


def test_a_select_that_postgresql_does_not_take(checked: Checked) -> None:
    code, said = checked("SELECT * FROM no_such_view")
    assert (code, 'relation "no_such_view" does not exist' in said) == (1, True)


def test_a_select_that_stumbles_over_a_row(world: World, checked: Checked) -> None:
    world.row("seven")
    code, said = checked(SELECT.replace("*", "billnum::integer::text AS billnum, " + ", ".join(_others("billnum"))))
    assert code == 1
    assert 'WRONG rows PostgreSQL cannot give them: invalid input syntax for type integer: "seven"' in said


def test_an_empty_ledger_is_wrong(checked: Checked) -> None:
    code, said = checked()
    assert (code, "WRONG rows the SELECT returns nothing" in said) == (1, True)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"billnum": "' '::text"}, "WRONG no billnum 1 row has no billnum: it is null or blank, such as jobid J1"),
        ({"billnum": "NULL::text"}, "WRONG no billnum 1 row has no billnum: it is null or blank, such as jobid J1"),
        ({"status": "NULL::text"}, "WRONG no status 1 row has no status: it is null or blank, such as invoice 1"),
        ({"status": "' '::text"}, "WRONG no status 1 row has no status: it is null or blank, such as invoice 1"),
        ({"total": "NULL::numeric"}, "WRONG no total 1 row has no total, such as invoice 1"),
        ({"paid": "NULL::numeric"}, "WRONG no paid 1 row has no paid, such as invoice 1"),
        (
            {"credited": "'NaN'::numeric", "open": "NULL::numeric"},
            "WRONG no amount 1 row has an amount that is not a",
        ),
        ({"paid": "'-Infinity'::numeric", "open": "NULL::numeric"}, "WRONG no amount 1 row has an amount that is not"),
        ({"total": "'Infinity'::numeric", "open": "NULL::numeric"}, "WRONG no amount 1 row has an amount that is not"),
        ({"currency": "'euro'::text"}, "WRONG no currency 1 row has a currency that is no ISO 4217 code"),
        ({"currency": "repeat('EUR', 9)"}, "WRONG no currency 1 row has a currency that is no ISO 4217 code"),
        (
            {"billnum": "repeat('b', 201)"},
            "WRONG too long 1 row has a billnum, jobid or status of more than 200 characters, such as invoice bbb",
        ),
        ({"jobid": "repeat('j', 201)"}, "WRONG too long 1 row has a billnum, jobid or status of more than 200"),
        ({"changed_at": "now() + interval '3 days'"}, "WRONG future 1 row was sent or changed in the future"),
        ({"sent_at": "now() + interval '3 days'"}, "WRONG future 1 row was sent or changed in the future"),
        ({"changed_at": "'infinity'::timestamptz"}, "WRONG future 1 row was sent or changed in the future"),
        ({"sent_at": "'1970-01-01'::timestamptz"}, "WRONG long ago 1 row was sent before 2000"),
        ({"sent_at": "'-infinity'::timestamptz"}, "WRONG long ago 1 row was sent before 2000"),
        ({"billnum": r"E'1\t'"}, "WRONG blanks 1 row has blanks other than spaces around"),
        ({"jobid": r"E' \r\nJ1'"}, "WRONG blanks 1 row has blanks other than spaces"),
        ({"jobid": "'J1' || chr(160)"}, "WRONG blanks 1 row has blanks other than spaces"),
        ({"open": "90::numeric"}, "WRONG off 1 row does not add up: total is not paid + discount + credited + open"),
        ({"open": "101::numeric", "discount": "NULL::numeric"}, "WRONG off 1 row does not add up"),
        ({"status": "'paid'::text"}, "WRONG paid but open 1 row has a status that the map calls paid"),
        (
            {"status": "'paid'::text", "open": "NULL::numeric"},
            "WRONG paid but open 1 row has a status that the map calls",
        ),
        ({"jobid": "NULL::text"}, "note with jobid no row has a jobid: invoices are found by their number alone"),
        ({"changed_at": "NULL::timestamptz"}, "note with change no row has a changed_at"),
        ({"sent_at": "NULL::timestamptz"}, "note sent no row has a sent_at"),
        ({"discount": "NULL::numeric"}, "note discount no row has a discount: Ropo's discounts are not compared"),
    ],
)
def test_what_is_wrong_with_rows(world: World, checked: Checked, columns: dict[str, str], said: str) -> None:
    world.row("1")
    world.row("0")
    # Of two rows one is wrong; what is noted is of all rows.
    whose = "billnum = '1'" if "WRONG" in said else "true"
    chosen = [f"CASE WHEN {whose} THEN {value} ELSE {name} END AS {name}" for name, value in columns.items()]
    code, printed = checked(f"SELECT {', '.join(chosen + _others(*columns))} FROM ropo_ledger")
    assert said in printed
    assert code == ("WRONG" in said)
    assert printed.count("WRONG") == printed.count("such as") == code
    assert not re.search("such as (invoice |jobid J)0", printed)


def test_a_status_of_any_length_is_too_long_and_no_word_of_the_map(world: World, checked: Checked) -> None:
    world.row("1", "x" * 201)
    code, said = checked()
    assert "WRONG too long 1 row has a billnum, jobid or status of more than 200 characters, such as invoice 1" in said
    assert (code, said.count("WRONG")) == (1, 2)


def test_an_invoice_of_zero_or_a_credit_note_need_not_add_up(world: World, checked: Checked) -> None:
    world.row("1", "paid", total="-50", open="-50")
    world.row("2", "paid", total="0", open="5")
    assert checked()[0] == 0


def test_rows_that_share_a_key_are_told_with_an_example(world: World, checked: Checked) -> None:
    for number, jobid in (("1", "J1"), ("2", "J1"), ("3", None), (" 3 ", None), ("4", "J4"), ("4", "J5")):
        world.row(number, jobid=jobid)
    code, said = checked()
    assert code == 1
    assert "WRONG jobid twice 2 rows share their jobid with another row, such as jobid J1" in said
    assert "WRONG billnum twice 2 rows have no jobid and the billnum of another such row, such as invoice 3" in said
    assert said.count("WRONG") == 2


def test_rows_without_a_number_share_none(world: World, checked: Checked) -> None:
    for number in (" ", "", None, None):
        world.row(number, jobid=None)
    _, said = checked()
    assert re.findall("WRONG .*", said) == ["WRONG no billnum 4 rows have no billnum: it is null or blank"]


def test_statuses_that_the_map_lacks_can_be_pasted_into_it(world: World, checked: Checked) -> None:
    world.row("1", "overdue")
    world.row("2", "overdue")
    world.row("3", 'a "strange"\nword')
    code, said = checked()
    assert code == 1
    assert "WRONG status 2 words are not in the status map; say there what they mean:" in said
    assert '\n ledger:\n # "overdue": {} # 2 rows\n # "a \\"strange\\" word": {} # 1 row\n' in said


def test_an_invoice_known_to_ropo_that_the_ledger_lacks(world: World, checked: Checked) -> None:
    for number in ("1", "2", "3"):
        world.comment(number, "98")
    world.comment(None, "98", jobid="J9")
    world.row("1")
    world.row("INV-002", jobid=None)
    code, said = checked()
    assert code == 0  # it may be the ledger's own fault, which the comparison finds
    assert "note sample of 4 invoices that Ropo spoke of last, 1 found by jobid and 0 more by invoice number" in said
    assert "; not found: 3, such as 2 (the ledger has INV-002), 3, J9" in said


def test_no_invoice_known_to_ropo_is_found(world: World, checked: Checked) -> None:
    world.comment("0001", "98")
    world.row("1", jobid=None)
    code, said = checked()
    assert code == 1
    assert "not found: 1, such as 0001 (the ledger has 1)" in said


def test_a_jobid_that_leads_to_another_number(world: World, checked: Checked) -> None:
    world.comment("1", "98")
    world.row("2", jobid="J1")
    code, said = checked()
    assert (code, "1 of them has another invoice number in the ledger, such as that of jobid J1" in said) == (
        0,
        True,
    )


def test_the_sample_is_of_the_newest_and_bounded(world: World, checked: Checked) -> None:
    for number in range(9):
        world.comment(str(number), "98")
    world.row("1")
    assert "of 4 invoices that Ropo spoke of last" in checked(SELECT, "--sample", "4")[1]


def test_without_events_or_without_a_store_nothing_is_looked_for(
    world: World, checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.row("1")
    code, said = checked()
    assert (code, "note sample the store holds no event of this profile yet" in said) == (0, True)
    monkeypatch.delenv(STORE_VARIABLE)
    code, said = checked()
    assert (code, "note sample AIRFLOW_CONN_ROPO_STORE is not set" in said) == (0, True)


def test_a_store_that_is_named_wrongly_is_told(world: World, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    world.row("1")
    monkeypatch.setenv(STORE_VARIABLE, "mysql://db.example/store")
    code, said = checked()
    assert (code, f"{STORE_VARIABLE}: expected a connection of type postgres, got 'mysql'" in said) == (1, True)


def test_a_store_that_is_away_hides_nothing_of_the_ledger_and_without_a_sample_it_is_not_asked(
    world: World, checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.row("1", currency="euro")
    monkeypatch.setenv(STORE_VARIABLE, json.dumps(json.loads(_connection(world.store_dsn)) | {"port": 9}))
    code, said = checked()
    assert "WRONG no currency 1 row has a currency that is no ISO 4217 code" in said
    assert "WRONG sample no invoice known to Ropo was looked for: The store (connection ropo_store)" in said
    assert (code, "not kept in 2 points" in said) == (1, True)
    code, said = checked(SELECT, "--sample", "0")
    assert (code, "not kept in 1 point;" in said, "sample" in said) == (1, True, False)


def test_ctrl_c_ends_it_though_the_ledgers_database_is_waited_for(world: World, checked: Checked) -> None:
    world.row("1")
    checked()  # the files
    (checked.folder / "erp.sql").write_text("SELECT ropo_ledger.* FROM ropo_ledger, pg_sleep(600)")
    command = [sys.executable, "-m", "include.reconciliation.check_ledger"]

    def asleep() -> list[tuple[int]]:
        return world.ledger(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        )

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        until(lambda: asleep() == [(1,)])
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (-signal.SIGINT, "")
    until(lambda: asleep() == [(0,)])  # nor does its SELECT go on there


def test_a_ledger_that_is_away_does_not_keep_the_others_from_being_checked(
    world: World, checked: Checked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.row("1")
    away = json.loads(_connection(world.ledger_dsn)) | {"port": 9}
    monkeypatch.setenv("AIRFLOW_CONN_AWAY", json.dumps(away))
    (checked.folder / "erp.sql").write_text(SELECT)
    (checked.folder / "profiles.yaml").write_text(
        "profiles:\n  - {name: first, ledger: {query: erp.sql, connection: away}}\n"
        "  - {name: second, connection: b, ledger: {query: erp.sql}}\n"
    )

    code = check_ledger.main([])

    said = capsys.readouterr()
    assert "Profile second: connection erp_ledger" in said.out
    assert said.out.endswith("The contract is kept; it stands in include/erp/generic.sql.\n")
    away_error, count = said.err.splitlines()
    assert "refused" in away_error
    assert (code, count) == (1, "1 of 2 profiles could not be checked.")


def test_a_select_that_takes_too_long_is_given_up(world: World, checked: Checked) -> None:
    world.row("1")
    code, said = checked("SELECT ropo_ledger.* FROM ropo_ledger, pg_sleep(600)", "--timeout", "1")
    assert (code, "WRONG time the SELECT takes more than 1 s over all rows" in said) == (1, True)


def test_a_table_that_is_locked_is_not_waited_for_without_a_word(
    world: World, checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_ledger, "LOCKED_SECONDS", 1)
    with closing(psycopg2.connect(world.ledger_dsn)) as loader, loader.cursor() as cursor:
        cursor.execute("LOCK TABLE ropo_ledger")
        code, said = checked()
    assert (code, "WRONG lock another session of the ledger's database has held a table" in said) == (1, True)


def test_nothing_can_be_written_by_it(world: World, checked: Checked) -> None:
    world.ledger(
        "CREATE OR REPLACE FUNCTION spoil() RETURNS text LANGUAGE sql AS 'DELETE FROM ropo_ledger RETURNING billnum'"
    )
    world.row("1")
    code, said = checked(f"SELECT spoil() AS billnum, {', '.join(_others('billnum'))} FROM ropo_ledger")
    assert (code, "cannot execute DELETE in a read-only transaction" in said) == (1, True)
    assert world.ledger("SELECT count(*) FROM ropo_ledger") == [(1,)]


def test_a_missing_connection_is_named(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LEDGER_VARIABLE)
    code, said = checked()
    assert (code, said) == (
        1,
        f"Profile default: connection erp_ledger, query {checked.folder / 'erp.sql'}\n"
        f"{LEDGER_VARIABLE} is not set; it names the ledger of profile default, as an Airflow connection\n",
    )


def test_a_ledger_that_cannot_be_reached_is_an_error_without_the_password(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEDGER_VARIABLE, "postgres://reader:hush@127.0.0.1:9/erp")
    code, said = checked()
    assert (code, "the ledger (connection erp_ledger) cannot be reached: " in said, "hush" in said) == (1, True, False)


def _others(*names: str) -> list[str]:
    return [column for column in COLUMNS if column not in names]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--sample", "-1"), "argument --sample: expected a whole number from 0 to 1000000, got '-1'"),
        (("--timeout", "0"), "argument --timeout: expected a whole number from 1 to 86400, got '0'"),
        (("--timeout", "soon"), "argument --timeout: expected a whole number from 1 to 86400, got 'soon'"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], option: tuple[str, str], said: str
) -> None:
    with pytest.raises(SystemExit):
        check_ledger.main(option)
    assert said in capsys.readouterr().err
