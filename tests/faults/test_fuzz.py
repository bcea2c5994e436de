"""Any answer whatever with HTTP 200, through the real drain into the real store: no error, and no good row lost.

``FUZZ_EXAMPLES`` sets how many answers of each kind are tried; ``make fuzz`` tries many.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from include.config.profiles import Profile
from include.status_store.database import connect
from include.status_store.fields import FIELDS
from include.status_store.page_body import unpack
from include.status_store.session import Session
from include.status_store.source import Answer
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import drain
from tests.plugins.ropo_one.conftest import CID
from tests.plugins.ropo_one.scripted_server import ScriptedServer, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.embedded import Server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # The same answers in every run of `make test`; others in each `make fuzz`.
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def fuzzed(postgres: Server, store_template: str) -> Iterator[Session]:
    """One store for all answers; each has a profile and a queue of its own."""
    name = postgres.fresh_database("fuzz", template=store_template)
    with Session(lambda: connect(postgres.dsn(name)), patience=1) as session:
        yield session
    postgres.drop_database(name)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SIGNS = [b'"', b"}", b"]", b"{", b"[", b",", b"\\", b":"]
# No bracket or quote that stands alone: it must be clear where a row ends.
LITERALS = st.sampled_from(
    [
        b"NaN", b"-Infinity", b"1e999", b"1e200000", b"-0", b"01", b"9" * 400, b"9" * 5000, b"1." + b"0" * 300, b"tru",
        rb'"\ud83d"', rb'"\u0000"', b'"\x00"', b'"\xff\xfe"', b'"a\nb"', rb'"\x41"', b"'text'", b'"%s"' % (b"x" * 3000),
        b"[" * 1500 + b"]" * 1500, b'{"a":' * 300 + b"1" + b"}" * 300, rb'"\\"', rb'"\""', b'{"statusid": "P1"}',
    ]
)  # fmt: skip
VALUES = LITERALS | JSON.map(lambda value: json.dumps(value).encode())


@st.composite
def odd_rows(draw: st.DrawFn) -> bytes:
    """A row that looks like one, with some fields of any value, missing, or unknown."""
    fields = {name: json.dumps(value).encode() for name, value in row(draw(st.integers(900, 999))).items()}
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=4)):
        fields.pop(name, None)
    fields |= draw(st.dictionaries(st.sampled_from(FIELDS) | st.text("abc", max_size=3), VALUES, max_size=4))
    return b"{" + b", ".join(json.dumps(name).encode() + b": " + value for name, value in fields.items()) + b"}"


BAD_ROWS = odd_rows() | VALUES
GOOD_ROWS = st.lists(st.integers(1, 400), unique=True, min_size=1, max_size=8)
WHOLE = page(*(row(number) for number in range(1, 5))).body


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An answer of Ropo's, in which some bytes are others, more or missing."""
    body = bytearray(WHOLE)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        until = draw(st.integers(at, min(len(body), at + 20)))
        put = st.binary(max_size=6) | st.sampled_from(SIGNS)
        body[at:until] = draw(put)
    return bytes(body)


ENVELOPES = st.builds(
    lambda status, more: b'{"result": {"status": ' + status + b', "n": ' + more + b'}, "more": ' + more + b"}",
    VALUES | st.lists(BAD_ROWS, max_size=4).map(lambda rows: b"[" + b",".join(rows) + b"]"),
    VALUES,
)
BODIES = st.binary() | VALUES | mutated() | ENVELOPES


def drained(session: Session, body: bytes, content_type: str | None = "application/json") -> tuple[str, list[Any]]:
    """Drain an answer in a queue of its own; return the profile, and the journal's outcomes."""
    name = f"fuzz-{next(numbers)}"
    source = ScriptedSource(Answer(http_status=200, body=body, content_type=content_type), queue=("fuzz", name))
    drain(session, Profile(name=name), source)
    with session.transaction() as cursor:
        cursor.execute("SELECT outcome FROM ropo.status_poll WHERE profile = %s ORDER BY poll_id", (name,))
        return name, [outcome for (outcome,) in cursor.fetchall()]


def kept(session: Session, profile: str) -> tuple[Any, ...]:
    """What the store has of the first answer: its bytes, rows of the journal, events and rows in quarantine."""
    with session.transaction() as cursor:
        cursor.execute(
            """
            SELECT page.body, page.body_encoding, page.complete, page.parsed_at IS NOT NULL, poll.row_count,
                poll.new_count,
                poll.revised_count, poll.quarantined_count,
                (SELECT count(*) FROM ropo.status_event WHERE profile = %(profile)s),
                (SELECT coalesce(sum(times_seen), 0) FROM ropo.status_quarantine WHERE profile = %(profile)s)
            FROM ropo.status_poll AS poll LEFT JOIN ropo.status_page AS page USING (poll_id)
            WHERE poll.profile = %(profile)s ORDER BY poll.poll_id LIMIT 1
            """,
            {"profile": profile},
        )
        found = cursor.fetchone()
    assert found is not None
    body, encoding, *others = found
    return None if body is None else unpack(body, encoding), *others


@FUZZ
@example(b"")
@example(b"[" * 100_000)
@example(b'{"result": {"status": [' + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"]}}")
@given(BODIES)
def test_no_answer_breaks_a_drain_and_every_byte_of_it_is_kept(fuzzed: Session, body: bytes) -> None:
    profile, outcomes = drained(fuzzed, body)

    kept_body, complete, parsed, rows, *_ = kept(fuzzed, profile)
    if outcomes[0] == "landed":
        assert outcomes in (["landed", "empty"], ["landed", "landed"])
        assert (kept_body, complete, parsed) == (body, True, True)
        assert rows is not None
    else:
        # What is no answer of the queue may have taken a page with it.
        assert outcomes == ["in_doubt"]
        assert (kept_body or b"") == body


@FUZZ
@given(GOOD_ROWS, st.lists(st.tuples(st.integers(0, 8), BAD_ROWS), max_size=5))
def test_no_row_takes_a_good_one_with_it(fuzzed: Session, good: list[int], bad: list[tuple[int, bytes]]) -> None:
    rows = [json.dumps(row(number)).encode() for number in good]
    for place, raw in bad:
        rows.insert(place, raw)

    profile, outcomes = drained(fuzzed, b'{"result": {"status": [' + b", ".join(rows) + b"]}}")

    assert outcomes == ["landed", "empty"]
    _, _, parsed, row_count, *_ = kept(fuzzed, profile)
    assert (parsed, row_count) == (True, len(rows))
    with fuzzed.transaction() as cursor:
        cursor.execute("SELECT statusid, billnum, amount::text FROM ropo.status_event WHERE profile = %s", (profile,))
        held = set(cursor.fetchall())
    assert {(f"P{number}", str(10_000 + number), "96.72") for number in good} <= held


@FUZZ
@example("text\0json")
@example("text/\ud800")
@given(st.text(st.characters(exclude_categories=())) | st.none())
def test_no_content_type_costs_the_page(fuzzed: Session, content_type: str | None) -> None:
    """It is the server's text, and no part of what it handed over."""
    profile, outcomes = drained(fuzzed, WHOLE, content_type)

    assert (outcomes, kept(fuzzed, profile)[7]) == (["landed", "empty"], 4)


@settings(FUZZ, max_examples=max(15, EXAMPLES // 4))
@example(WHOLE, b"text\0json")
@given(BODIES, st.binary(max_size=20).map(lambda raw: re.sub(rb"[\r\n]", b"", raw)))
def test_no_200_over_http_is_an_error_of_the_operator(
    postgres: Server, store_template: str, monkeypatch: pytest.MonkeyPatch, body: bytes, content_type: bytes
) -> None:
    from tests.plugins.ropo_one.operators.test_polling import context
    from tests.plugins.ropo_one.operators.test_polling import drain as operator

    name = postgres.fresh_database("fuzz", template=store_template)
    with ScriptedServer() as server, pytest.MonkeyPatch.context() as patch:
        fields = {"conn_type": "ropo_one", "host": server.url, "login": CID, "password": "secret"}
        patch.setenv("AIRFLOW_CONN_ROPO_ONE_DEFAULT", json.dumps(fields))
        patch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(postgres.airflow_connection(name, "postgres")))
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.delenv("ROPO_PROFILES_FILE", raising=False)
        server.polls_will_be(answer(200, body).replace(b"application/json", content_type, 1))

        summary = operator().execute(context())

    assert summary["stopped_by"] in ("empty", "in_doubt")
    assert summary["pages"] + summary["in_doubt"] >= 1
    postgres.drop_database(name)
