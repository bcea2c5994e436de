"""Codes that the status map lacks are listed, and nothing else of a row is shown."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import yaml

from include.config.status_map import load_status_map
from include.reconciliation.unmapped import HIDDEN, UnmappedCode, as_map, main, shown_code, unmapped_of_profile
from include.status_store.database import STORE_VARIABLE, connect
from tests.include.reconciliation.world import World, at

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_population_tells_its_unmapped_codes_and_no_mapped_ones(world: World) -> None:
    world.comment("1", "66", statusref="Uusi tila")
    world.comment("1", "66", statusref="Uusi tila")
    world.comment("1", "101")
    world.payment("1", "5", kind="4", statusref="Korko")
    world.payment("1", "5", kind="Matti Meikäläinen", statusref="Muu")
    world.event("1", "2026-03-10 09:00", statustype="reminder", statuscode="5", statusref="Muistutus")
    world.row("1")
    assert world.reconcile().unmapped == [
        UnmappedCode("comment", "66", "Uusi tila", 2),
        UnmappedCode("payment", "4", "Korko", 1),
        UnmappedCode("payment", HIDDEN, "Muu", 1),
        UnmappedCode("reminder", "5", "Muistutus", 1),
    ]


def test_nor_those_of_invoices_out_of_scope_or_of_another_profiles_events(world: World) -> None:
    world.comment("1", "66", statusid="C1", statusref="Uusi tila")
    other = World(world.store_dsn, world.ledger_dsn, msgspec.structs.replace(world.profile, name="other"))
    other.comment("1", "66", statusid="C1", statusref="Toinen")
    world.comment("2", "67")
    world.row("2", sent_at=at("2025-12-31 12:00"))
    assert world.reconcile().unmapped == [UnmappedCode("comment", "66", "Uusi tila", 1)]


def test_the_label_is_that_of_the_newest_row_by_the_one_order_of_events(world: World) -> None:
    # In one second the number in the statusid says which is newer, and "C10" comes before "C9" by its letters.
    for statusid, label in (("C9", "Vanha"), ("C10", "Uusi")):
        world.comment("1", "66", statusid=statusid, statusref=label)
    world.row("1")
    assert world.reconcile().unmapped == [UnmappedCode("comment", "66", "Uusi", 2)]
    status_map = load_status_map(world.profile.status_map)
    with closing(connect(world.store_dsn)) as store, store.cursor() as cursor:
        assert unmapped_of_profile(cursor, world.profile, status_map) == [UnmappedCode("comment", "66", "Uusi", 2)]


def test_a_number_is_a_code_and_a_text_is_none() -> None:
    assert shown_code("payment", "12") == "12"
    assert shown_code("payment", "Matti Meikäläinen") == HIDDEN
    assert shown_code("payment", "1\nMatti") == HIDDEN
    # A digit of another alphabet is none: what is erased as a text is not shown as a number.
    assert shown_code("payment", "٣") == HIDDEN
    for code in ("", "98", "A1", "due_2.b-C", "x" * 20):
        assert shown_code("comment", code) == code
    for text in ("Puhelu 040", "Matti\n", "Meikäläinen", "x" * 21, "٣", "a@b.fi"):
        assert shown_code("comment", text) == HIDDEN


def test_a_log_tells_of_a_code_without_its_label(world: World) -> None:
    world.comment("1", "66", statusref="Uusi tila")
    world.comment("1", "Puhelu Matti", statusref="Muu")
    world.row("1")
    lines = "\n".join(world.reconcile().lines())
    assert "not in the status map: comment '66', 1 time" in lines
    assert "Uusi" not in lines
    assert "Matti" not in lines


def test_what_is_printed_can_be_pasted_into_the_map() -> None:
    lines = list(
        as_map(
            [
                UnmappedCode("comment", "66", "Uusi tila", 2),
                UnmappedCode("payment", "4", "Korko", 1),
                UnmappedCode("reminder", "", "", 1),
            ]
        )
    )
    assert lines == [
        "ropo:",
        "  payments:",
        '    # "4": ignore    # Korko, seen 1 time',
        "  comments:",
        '    # "66": {}    # Uusi tila, seen 2 times',
        "  others:",
        '    "reminder":',
        '      # "": {}    # , seen 1 time',
    ]
    pasted = yaml.safe_load("\n".join(line.replace("# ", "", 1) for line in lines))
    assert pasted["ropo"]["payments"] == {"4": "ignore"}
    assert pasted["ropo"]["others"] == {"reminder": {"": {}}}


def test_the_command_lists_every_profile(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.comment("1", "66", "2020-01-01", statusref="Uusi tila")
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text("profiles: [{name: default}, {name: other}]".replace("}", f", {_files()}}}"))
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(profiles))
    monkeypatch.setenv(STORE_VARIABLE, world.store_dsn.replace("postgresql://", "postgres://"))
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "# Profile default: 1 code is not in" in out
    assert '# "66": {}    # Uusi tila, seen 1 time' in out
    assert "# Profile other: 0 codes" in out
    assert main(["--profile", "other"]) == 0
    assert "default" not in capsys.readouterr().out
    assert main(["--profile", "none"]) == 1
    assert "profile 'none'" in capsys.readouterr().err


def test_a_command_without_a_store_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    assert main(["--profile", "default"]) == 1
    assert STORE_VARIABLE in capsys.readouterr().err


def _files() -> str:
    from include.config.profiles import SHIPPED_QUERY, SHIPPED_STATUS_MAP

    return f'status_map: "{SHIPPED_STATUS_MAP}", ledger: {{query: "{SHIPPED_QUERY}"}}'
