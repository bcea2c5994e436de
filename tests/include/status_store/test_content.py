"""What an event says, as a hash: the same of the row that shows it and of the columns that keep it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.status_store.content import contents
from include.status_store.fields import FIELDS
from include.status_store.parsing import parse_rows
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.test_parsing import HELSINKI, ROWS
from tests.include.status_store.views import column, drain, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.event import Events
    from include.status_store.session import Session

HELD = "SELECT statusid, encode(ropo.content_sha256(event), 'hex') FROM ropo.status_event AS event"
AS_KEPT = """
SELECT statusid, encode(ropo.content_sha256(event), 'hex')
FROM json_populate_recordset(NULL::ropo.status_event, %s::json) AS event
"""
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
AMOUNTS = st.from_regex(r"\A-?[0-9]{1,15}(\.[0-9]{1,6})?\Z")
ANY_ROWS = st.fixed_dictionaries({
    "jobid": TEXTS.filter(str.strip),
    "statusid": TEXTS | st.none(),
    "billnum": TEXTS | st.integers() | st.none(),
    "statustype": TEXTS.filter(str.strip),
    "statustime": st.datetimes(timezones=st.none() | st.timezones()).map(str) | st.dates().map(str),
    "statusref": TEXTS,
    "statustext": TEXTS,
    "statuscode": TEXTS,
    "paydate": st.dates().map(str) | st.just(""),
    "amount": AMOUNTS | st.decimals(-1000, 1000, places=2).map(float),
})  # fmt: skip


def events_of(*rows: object) -> Events:
    return parse_rows([json.dumps(each).encode() for each in rows], HELSINKI).events


def content(row: object) -> str:
    (sha256,) = contents(events_of(row)).values()
    return sha256


def test_it_is_that_of_the_ten_fields_as_trimmed_text() -> None:
    same = [row(1), row(1, statusid=" P1 "), row(1, jobid="3000001"), row(1, more="unknown"), row(1, statuscode=None)]
    assert len(set(map(content, same))) == 1

    other = [row(1), *(row(1, **{field: "2026-01-01"}) for field in FIELDS if field != "amount"), row(1, amount="1")]
    assert len(set(map(content, other))) == 11


def test_a_row_is_hashed_as_in_every_store_there_is() -> None:
    assert content(row(1)) == "d699bae7e7321f7582eeb32394e524e7788037f365f91af05b3aaffb8602d35b"


def test_no_two_rows_run_into_the_same_content() -> None:
    assert content(row(1, statusref="ab", statustext="c")) != content(row(1, statusref="a", statustext="bc"))


def test_the_store_comes_to_the_same_of_what_it_keeps(session: Session, store: Connection, profile: Profile) -> None:
    rows = [
        row(1),
        row(2, statusid=None, paydate="", statusref="ä€😀\n\t\\N"),
        row(3, statustime="2026-11-13 09:00:00.5"),
    ]
    drain(session, profile, ScriptedSource(page(*rows)))

    assert dict(query(store, HELD)) == contents(events_of(*rows))
    assert column(store, "SELECT content_sha256 FROM ropo.status_event") == [None] * 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS | ANY_ROWS, max_size=20))
def test_whatever_the_form_of_a_row_the_store_comes_to_the_same(store: Connection, rows: list[object]) -> None:
    events = events_of(*rows)
    columns = [{**msgspec.structs.asdict(each), "raw": {}} for each in events]

    kept = query(store, AS_KEPT, (json.dumps(columns),))

    assert dict(kept) == contents(events)
