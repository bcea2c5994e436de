"""The contract with the ERP, and what is read by it."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from include.reconciliation.ledger import bare_number
from include.reconciliation.ledger_contract import LedgerContractError
from include.reconciliation.sides import ledger_transaction
from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from pathlib import Path

    from include.config.profiles import Profile
    from tests.include.reconciliation.world import World

GOOD = {
    "billnum": "'1'::text",
    "jobid": "'J1'::text",
    "status": "'open'::text",
    "total": "100::numeric",
    "paid": "0::numeric",
    "discount": "NULL::numeric",
    "credited": "NULL::numeric",
    "open": "NULL::numeric",
    "currency": "NULL::text",
    "sent_at": "NULL::timestamptz",
    "changed_at": "'2026-03-10 08:00Z'::timestamptz",
    "payments_by_ropo": "NULL::boolean",
}
# Such as a column of notes holds, and no index of PostgreSQL's takes.
LONG = "(SELECT string_agg(md5(part::text), '') FROM generate_series(1, 200) AS part)"


def _profile(world: World, folder: Path, query: str) -> Profile:
    path = folder / "erp.sql"
    path.write_text(query, encoding="utf-8")
    return msgspec.structs.replace(world.profile, ledger=msgspec.structs.replace(world.profile.ledger, query=path))


def _query(**columns: str | None) -> str:
    chosen = {**GOOD, **columns}
    return "SELECT " + ", ".join(f"{value} AS {name}" for name, value in chosen.items() if value is not None)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"jobid": None}, "column jobid is missing, expected one of type text"),
        ({"total": "100::money"}, "column total is of type money, expected numeric; money rounds"),
        (
            {"paid": "0::float8"},
            "column paid is of type double precision, expected numeric; a float does not hold cents",
        ),
        ({"paid": "0::real"}, "column paid is of type real"),
        ({"total": "'100'::text"}, "column total is of type text, expected numeric; cast it to numeric"),
        ({"discount": "NULL"}, "column discount is of type text, expected numeric"),
        ({"billnum": "1::bigint"}, "column billnum is of type bigint, expected text; cast it to text"),
        ({"changed_at": "'today'::text"}, "column changed_at is of type text, expected timestamptz"),
        ({"payments_by_ropo": "1"}, "column payments_by_ropo is of type integer, expected boolean"),
        ({"billnum": "NULL::text"}, "the row of jobid J1: column billnum is null"),
        ({"billnum": "'  '::text"}, "the row of jobid J1: column billnum is blank"),
        ({"billnum": "NULL::text", "jobid": "NULL::text"}, "a row: column billnum is null"),
        ({"status": "NULL::text"}, "invoice 1: column status is null"),
        ({"total": "NULL::numeric"}, "invoice 1: column total is null"),
        ({"status": "' '::text"}, "invoice 1: column status is blank"),
        ({"paid": "NULL::numeric"}, "invoice 1: column paid is null"),
        ({"paid": "'NaN'::numeric"}, "invoice 1: column paid is NaN, which is no amount"),
        ({"total": "'Infinity'::numeric"}, "invoice 1: column total is Infinity, which is no amount"),
        ({"open": "'-Infinity'::numeric"}, "invoice 1: column open is -Infinity, which is no amount"),
        (
            {"billnum": "repeat('b', 201)"},
            "the row of jobid J1: column billnum holds 201 characters, expected at most 200",
        ),
        ({"billnum": LONG, "jobid": LONG}, "a row: column billnum holds 6,400 characters, expected at most 200"),
        ({"jobid": "repeat('j', 201)"}, "invoice 1: column jobid holds 201 characters, expected at most 200"),
        ({"status": LONG}, "invoice 1: column status holds 6,400 characters, expected at most 200"),
        ({"currency": "repeat('E', 11)"}, "invoice 1: column currency holds 11 characters, expected at most 10"),
    ],
)
def test_a_select_that_breaks_the_contract_is_named(
    world: World, tmp_path: Path, columns: dict[str, str | None], said: str
) -> None:
    profile = _profile(world, tmp_path, _query(**columns))
    with pytest.raises(LedgerContractError) as caught:
        world.reconcile(profile=profile)
    message = str(caught.value)
    assert said in message
    assert "Profile default" in message
    assert "connection erp_ledger" in message
    assert str(profile.ledger.query) in message
    assert "include/erp/generic.sql" in message
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(0,)]


@pytest.mark.parametrize("column", ["billnum", "jobid", "status", "currency"])
@pytest.mark.parametrize("scope", ["date", "full"])
def test_a_text_that_no_index_takes_is_named_before_anything_is_recorded(
    world: World, tmp_path: Path, column: str, scope: str
) -> None:
    world.payment("1", "100")
    profile = _profile(world, tmp_path, _query(**{column: LONG}))
    with pytest.raises(LedgerContractError, match=f"column {column} holds 6,400 characters") as caught:
        world.reconcile(profile=profile, scope=scope)
    assert len(str(caught.value)) < 500  # the text itself, which may be of a debtor, is in no log
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(0,)]


def test_texts_as_long_as_the_contract_allows_are_taken(world: World, tmp_path: Path) -> None:
    longest = {
        "billnum": "repeat('ä', 200)",
        "jobid": "repeat('€', 200)",
        "status": "repeat('ö', 200)",
        "currency": "repeat('E', 10)",
    }
    assert world.reconcile(profile=_profile(world, tmp_path, _query(**longest))).population == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "-- ours\n\nSELECT *\nFROM no_such_view",
            r'relation "no_such_view" does not exist \(line 4 of the SELECT\)\. Make it, as a view',
        ),
        (
            "\nSELECT ledger.bilnum, 'ä' AS status\nFROM ropo_ledger AS ledger",
            r'\(line 2 of the SELECT\)\. Perhaps you meant to reference the column "ledger.billnum"\. The contract has',
        ),
        (
            "SELECT billnum, bilnum FROM ropo_ledger",
            r"The contract has 12 columns: billnum, jobid, status, .*; one that the ERP lacks is written with its type",
        ),
        ("SELEC 1", r'syntax error at or near "1" \(line 1'),
        (_query() + ";\n-- that was it", r'syntax error at or near ";"'),
        (" \n", "is empty: expected a SELECT"),
        (_query() + "; DELETE FROM ropo_ledger", "syntax error"),
        (_query() + ", 1 AS total", "column total stands twice"),
        (_query(total="1 / 0"), r"PostgreSQL does not take it: division by zero\. The contract stands"),
        ("SELECT * FROM erp.public.invoices", "PostgreSQL does not take it: cross-database references"),
    ],
)
def test_a_select_that_is_none_is_named(world: World, tmp_path: Path, query: str, said: str) -> None:
    with pytest.raises(LedgerContractError, match=said):
        world.reconcile(profile=_profile(world, tmp_path, query))


def test_a_right_that_is_lacking_is_named_with_what_grants_it(world: World, tmp_path: Path) -> None:
    role = f"reader_of_{os.getpid()}"
    owners = world.ledger_dsn
    world.ledger(f"CREATE ROLE {role} LOGIN PASSWORD 'reads'")
    try:
        world.ledger_dsn = make_dsn(owners, user=role, password="reads")
        with pytest.raises(LedgerContractError, match=r"permission denied .*Have its owner grant .* SELECT on a view"):
            world.reconcile(profile=_profile(world, tmp_path, "SELECT * FROM ropo_ledger"))
    finally:
        world.ledger_dsn = owners
        world.ledger(f"DROP ROLE {role}")


def test_a_file_of_another_encoding_is_named_with_its_line(world: World, tmp_path: Path) -> None:
    profile = _profile(world, tmp_path, _query())
    profile.ledger.query.write_bytes(f"-- lähettäjä\n{_query()}".encode("latin-1"))
    with pytest.raises(LedgerContractError, match=r"line 1 is not UTF-8: save the file as UTF-8"):
        world.reconcile(profile=profile)


def test_the_mark_that_some_editors_put_before_the_text_is_none_of_the_select(world: World, tmp_path: Path) -> None:
    profile = _profile(world, tmp_path, _query())
    profile.ledger.query.write_text(_query(), encoding="utf-8-sig")
    assert world.reconcile(profile=profile).population == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"billnum": "'1'::varchar(20)", "jobid": "'J1'::char(20)", "currency": "'EUR'::char(3)"},
        {"total": "100::integer", "paid": "0::bigint", "open": "100::smallint"},
        {"changed_at": "'2026-03-10 10:00'::timestamp"},
        {"changed_at": "'2026-03-10'::date", "sent_at": "'2026-03-01'::date"},
        {"total": "100::numeric(14, 2)", "payments_by_ropo": "true"},
    ],
)
def test_types_that_hold_the_same_are_taken(world: World, tmp_path: Path, columns: dict[str, str]) -> None:
    profile = _profile(world, tmp_path, f"-- an ERP's own, 100 % of it\n{_query(**columns)} ;\n")
    assert world.judged(profile=profile) == ("matched", "never_spoken_of")


def test_percent_signs_and_comments_of_the_select_are_its_own(world: World, tmp_path: Path) -> None:
    world.row("1", changed_at=at("2026-03-10 08:00"))
    profile = _profile(world, tmp_path, "SELECT * FROM ropo_ledger WHERE billnum LIKE '%' -- 100 %(all)s {of} them")
    assert world.judged(profile=profile) == ("matched", "never_spoken_of")


def test_a_time_without_a_zone_is_the_markets(world: World, tmp_path: Path) -> None:
    late = _profile(world, tmp_path, _query(changed_at="'2026-03-10 23:59:59'::timestamp"))
    assert world.reconcile(profile=late).population == 1
    after = {"changed_at": "'2026-03-11 00:00'::timestamp", "billnum": "'2'::text", "jobid": "'J2'::text"}
    items = world.items(world.reconcile(profile=_profile(world, tmp_path, _query(**after))))
    assert {item["billnum"] for item in items.values()} == {"1"}  # of the earlier reconciliation


def test_blanks_around_a_text_are_none_of_it_and_a_currency_is_in_capitals(world: World) -> None:
    on_the_day = at("2026-03-10 08:00")
    world.row(" 1 ", " open ", jobid=" J1 ", currency=" sek ", changed_at=on_the_day)
    world.row(" 2 ", jobid=" ", currency=" ", changed_at=on_the_day)
    world.comment(None, "98", jobid="J3")
    world.row("3", jobid=" J3 ")
    found = world.items(world.reconcile())
    assert {key: (item["billnum"], item["currency"], item["category"]) for key, item in found.items()} == {
        "j:J1": ("1", "SEK", "matched"),
        "b:2": ("2", "EUR", "matched"),
        "b:3": ("3", "EUR", "matched"),
    }


def test_the_ledger_is_only_read(world: World, tmp_path: Path) -> None:
    world.ledger(
        "CREATE OR REPLACE FUNCTION spoil() RETURNS text LANGUAGE sql AS 'DELETE FROM ropo_ledger RETURNING billnum'"
    )
    world.row("1", changed_at=at("2026-03-10 08:00"))
    profile = _profile(world, tmp_path, _query(billnum="spoil()"))
    told = r"PostgreSQL cannot give its rows: .* in a read-only transaction"
    with pytest.raises(LedgerContractError, match=told):
        world.reconcile(profile=profile)
    assert world.ledger("SELECT count(*) FROM ropo_ledger") == [(1,)]


def test_texts_of_the_ledger_survive_the_way_into_the_store(world: World) -> None:
    number = 'A\\B\t"C"\nÄ'
    world.row(number, jobid=None, status="open\\N", changed_at=at("2026-03-10 08:00"))
    item = world.only_item()
    assert (item["billnum"], item["ledger_word"]) == (number, "open\\N")


def test_every_answer_shows_the_same_moment(world: World) -> None:
    with closing(psycopg2.connect(world.ledger_dsn)) as ledger, ledger_transaction(ledger, world.profile) as reader:
        assert reader.is_empty()
        world.row("1")
        assert reader.is_empty()
        assert reader.newest_change() is None


def test_the_newest_change_is_that_of_whichever_row(world: World) -> None:
    for billnum, changed_at in (("1", at("2026-03-01 08:00")), ("2", at("2026-03-09 08:00")), ("3", None)):
        world.row(billnum, changed_at=changed_at)
    with closing(psycopg2.connect(world.ledger_dsn)) as ledger, ledger_transaction(ledger, world.profile) as reader:
        assert reader.newest_change() == at("2026-03-09 08:00")


@pytest.mark.parametrize(
    ("number", "bare"), [("0012", "12"), ("INV-0012", "12"), ("12", "12"), ("12-03", "12-03"), ("ABC", ""), ("000", "")]
)
def test_a_bare_number_has_neither_prefix_nor_leading_zeros(number: str, bare: str) -> None:
    assert bare_number(number) == bare
