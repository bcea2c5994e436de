"""What was erased stays erased, though Ropo One shows it again in a form that is no event."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.status_store.attention import dismiss_row
from include.status_store.erasure import TextErasure
from tests.include.status_store.erasing import NOW, OTHER, ROWS, SECRET, by_date, erase, places_of
from tests.include.status_store.scripted_source import DEEP, ScriptedSource, page, row
from tests.include.status_store.test_redaction import comment
from tests.include.status_store.views import bodies, column, drain, execute

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from tests.include.reconciliation.world import World

OPEN = "SELECT raw FROM ropo.status_quarantine WHERE resolved_at IS NULL ORDER BY quarantine_id"


def in_another_form(*rows: dict[str, object]) -> list[dict[str, object]]:
    return [{**each, "statustime": "13.11.2026 00:00"} for each in rows]


def waiting(store: Connection) -> list[dict[str, object]]:
    return [json.loads(bytes(raw)) for raw in column(store, OPEN)]


@pytest.mark.parametrize("kind", ["drain", "date"])
def test_a_row_of_an_erased_event_that_cannot_be_read_any_more_waits_without_its_text(
    filled: World, session: Session, store: Connection, profile: Profile, kind: str
) -> None:
    erase(session, profile)
    shown = ScriptedSource(page(*in_another_form(ROWS[0]), ROWS[3]))

    drain(session, profile, shown) if kind == "drain" else by_date(session, profile, shown)

    assert places_of(store, SECRET) == set()
    assert OTHER.encode() in bodies(store)[-1]
    assert waiting(store) == [
        {
            "jobid": "3000001",
            "statusid": "C1",
            "billnum": "10001",
            "statustype": "comment",
            "statustime": "13.11.2026 00:00",
            "statuscode": "98",
            "paydate": "",
            "amount": "",
        }
    ]


def test_a_row_of_an_event_that_was_erased_by_its_age_waits_without_its_text(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    keeping = msgspec.structs.replace(profile, text_retention_days=30)
    later = NOW + datetime.timedelta(days=100)
    TextErasure(session, keeping, by="ropo_maintenance", note="by age").by_age(later, max_seconds=60)
    before = places_of(store, SECRET)

    by_date(session, profile, ScriptedSource(page(*in_another_form(*ROWS))))

    assert places_of(store, SECRET) == before
    assert len(waiting(store)) == 4


@pytest.mark.parametrize("unnamed", [{"billnum": ""}, {"jobid": ""}])
def test_a_row_that_names_an_erased_invoice_in_some_way_waits_without_its_text(
    filled: World, session: Session, store: Connection, profile: Profile, unnamed: dict[str, object]
) -> None:
    erase(session, profile)

    drain(session, profile, ScriptedSource(page(*in_another_form({**ROWS[0], "statusid": "", **unnamed}))))

    assert places_of(store, SECRET) == set()
    assert len(waiting(store)) == 1


def test_a_row_of_another_invoice_waits_as_it_came(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)
    bad = row(5, amount="much")

    drain(session, profile, ScriptedSource(page(bad)))

    assert waiting(store) == [bad]


def test_a_row_that_postgresql_refuses_waits_without_its_text(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)
    execute(store, f"ALTER DATABASE {store.info.dbname} SET max_stack_depth = '100kB'")
    session.close()
    refused = json.dumps(comment(6, billnum="10001", statustext=SECRET)).encode().replace(b"{", b"{" + DEEP + b", ", 1)

    summary = drain(session, profile, ScriptedSource(page(refused, comment(7, statustext=OTHER))))

    assert (summary.new, summary.quarantined) == (1, 1)
    assert places_of(store, SECRET) == set()
    assert OTHER.encode() in bodies(store)[-1]


def test_a_row_that_waited_with_its_text_loses_it_when_it_comes_again_after_the_erasure(
    session: Session, store: Connection, profile: Profile
) -> None:
    """By age an event is erased though another form of it waits."""
    bad = page(*in_another_form(ROWS[0]))
    drain(session, profile, ScriptedSource(page(ROWS[0]), bad))
    keeping = msgspec.structs.replace(profile, text_retention_days=30)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=100)
    done = TextErasure(session, keeping, by="ropo_maintenance", note="by age").by_age(later, max_seconds=60)
    assert (done.events, places_of(store, SECRET)) == (1, {"status_quarantine.raw"})

    drain(session, profile, ScriptedSource(bad))

    assert places_of(store, SECRET) == set()
    assert column(store, "SELECT times_seen FROM ropo.status_quarantine") == [2]


def test_it_is_one_row_however_often_it_comes_and_can_be_dismissed(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)
    bad = page(*in_another_form(ROWS[0]))

    drain(session, profile, ScriptedSource(bad, bad))

    (found,) = column(store, "SELECT quarantine_id FROM ropo.status_quarantine WHERE resolved_at IS NULL")
    with session.transaction() as cursor:
        dismiss_row(cursor, int(str(found)), by="Eero", note="known")
    assert erase(session, profile).quarantined == 1
