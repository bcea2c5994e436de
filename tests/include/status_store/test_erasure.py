"""Free texts are erased everywhere and stay erased; keys, states, amounts and reconciliations stay as they were."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import pytest

from include.reconciliation.unmapped import unmapped_of_profile
from include.status_store.attention import accept_doubt
from include.status_store.database import connect
from include.status_store.erasure import NotDealtWithError, NothingToEraseError, TextErasure
from include.status_store.redaction import ERASED
from include.status_store.replay import replay
from include.status_store.session import Session
from include.status_store.source import PollInDoubtError
from include.status_store.texts import withhold_broken
from local_airflow.waiting import until
from tests.include.reconciliation.world import STATUS_MAP, World
from tests.include.status_store.erasing import (
    BAD_ROW,
    DATE,
    NOW,
    OTHER,
    ROWS,
    SECRET,
    by_date,
    drain_broken,
    erase,
    erased_meanwhile,
    kept,
    places_of,
    results,
)
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.test_redaction import comment
from tests.include.status_store.views import bodies, column, drain, execute, land_alone, query
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.erasure import Erased
    from include.status_store.invoice_rows import InvoiceRows


def test_no_text_of_an_erased_invoice_is_left_in_any_table_or_log(
    filled: World, session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        done = erase(session, profile)

    assert places_of(store, SECRET) == set()
    assert SECRET not in caplog.text
    assert (done.events, done.revisions, done.quarantined, done.pages, done.labels) == (3, 1, 1, 3, 1)


def test_labels_of_a_reconciliation_that_knew_the_invoice_by_its_job_alone_are_erased(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    """It got its number later."""
    execute(store, "UPDATE ropo.reconciliation_item SET billnum = NULL WHERE billnum = '10001'")

    assert erase(session, profile).labels == 1

    assert places_of(store, SECRET) == set()


def test_an_erasure_finds_the_page_of_a_reread_that_had_looked_before_it(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(session, profile, ScriptedSource(page(*ROWS)))

    done = erased_meanwhile(store, store_dsn, profile, monkeypatch, lambda: erase(session, profile))

    assert places_of(store, SECRET) == set()
    assert done.pages == 2


def test_an_erasure_finds_what_came_of_a_reread_that_broke_off_and_had_looked_before_it(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(session, profile, ScriptedSource(page(*ROWS)))
    has_looked, may_go_on = threading.Event(), threading.Event()

    def look_and_wait(*arguments: Any) -> None:
        withhold_broken(*arguments)
        has_looked.set()
        may_go_on.wait(60)

    monkeypatch.setattr("include.status_store.landing.withhold_broken", look_and_wait)
    broken = PollInDoubtError("broke off", http_status=200, body=json.dumps(ROWS).encode()[:-5])
    done: list[Erased] = []

    def reread() -> None:
        with Session(lambda: connect(store_dsn)) as other, suppress(PollInDoubtError):
            by_date(other, profile, ScriptedSource(broken, broken, broken))

    with meanwhile(reread):
        until(has_looked.is_set)
        with meanwhile(lambda: done.append(erase(session, profile))):
            until(lambda: waiting_for_a_lock(store) or done)
            may_go_on.set()

    assert places_of(store, SECRET) == set()


@pytest.mark.parametrize(("sign", "spelled"), [("/", "\\/"), ("-", "\\u002d")], ids=["escaped", "by number"])
def test_an_invoice_is_found_in_a_page_that_spells_its_keys_in_another_way(
    session: Session, store: Connection, profile: Profile, sign: str, spelled: str
) -> None:
    keys = {"jobid": f"J{sign}1", "statusid": f"S{sign}1", "billnum": f"A{sign}1"}
    said = json.dumps(comment(1, **keys, statustext=SECRET)).replace(sign, spelled)
    drain(session, profile, ScriptedSource(page(said.encode())))

    erase(session, profile, keys["billnum"])

    assert places_of(store, SECRET) == set()


def test_another_invoices_texts_stay_in_its_events_and_pages(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)

    assert places_of(store, OTHER) == {"status_event.statustext", "status_event.raw", "status_page.body"}


def test_keys_states_amounts_and_the_reconciliation_are_the_same_before_and_after(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    before, held = results(filled, filled.reconcile(DATE, now=NOW)), kept(store)

    erase(session, profile)

    assert kept(store) == held
    assert results(filled, filled.reconcile(DATE, now=NOW)) == before
    with session.transaction() as cursor:
        codes = [(code.code, code.count) for code in unmapped_of_profile(cursor, profile, STATUS_MAP)]
    assert codes == [("777", 1)]


def test_journal_hashes_and_sizes_stay(filled: World, session: Session, store: Connection, profile: Profile) -> None:
    journal = "SELECT poll_id, kind, outcome, row_count, new_count, closed_at FROM ropo.status_poll ORDER BY poll_id"
    pages = "SELECT poll_id, sha256, coalesce(size, octet_length(body)), received_at FROM ropo.status_page ORDER BY 1"
    before = query(store, journal), [(*values[:1], bytes(values[1]), *values[2:]) for values in query(store, pages)]

    erase(session, profile)

    after = query(store, journal), [(*values[:1], bytes(values[1]), *values[2:]) for values in query(store, pages)]
    assert after == before


def test_a_reread_of_the_same_rows_changes_nothing_and_brings_no_text_back(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)
    held = kept(store)
    again = [{**ROWS[0], "statustext": f"{SECRET} put right"}, *ROWS[1:], BAD_ROW]

    summary = by_date(session, profile, ScriptedSource(page(*again)))

    assert (summary.new, summary.revised, summary.absent) == (0, 0, 0)
    assert places_of(store, SECRET) == set()
    assert kept(store) == held
    assert OTHER.encode() in bodies(store)[-1]


def test_other_content_of_an_erased_event_counts_but_its_text_does_not_come(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)

    summary = by_date(session, profile, ScriptedSource(page(*[{**each, "statuscode": "101"} for each in ROWS])))

    assert summary.revised == 4
    assert places_of(store, SECRET) == set()
    assert column(store, "SELECT DISTINCT statuscode FROM ropo.status_event") == ["101"]


def test_a_payment_word_of_the_status_map_stays_in_a_revision_after_the_erasure(
    session: Session, store: Connection, profile: Profile, tmp_path: Path
) -> None:
    path = tmp_path / "status_map.yaml"
    path.write_text('ropo: {payments: {"1": paid, Kassa: paid, Alennus: discount}}')
    profile = msgspec.structs.replace(profile, status_map=path)
    drain(session, profile, ScriptedSource(page(row(1, statustext="Kassa", statusref=SECRET))))
    erase(session, profile)

    for number, word in enumerate(("Kassa", "Alennus", SECRET)):
        drain(session, profile, ScriptedSource(page(row(1, statustext=word, statusref=f"{SECRET} {number}"))))
        held = column(store, "SELECT statustext FROM ropo.status_event")
        assert held == [ERASED if word == SECRET else word]
        assert (word.encode() in bodies(store)[-1]) == (word != SECRET)
    assert places_of(store, SECRET) == set()


def test_other_content_of_an_erased_event_waits_while_the_status_map_cannot_be_read(
    filled: World, session: Session, store: Connection, profile: Profile, tmp_path: Path
) -> None:
    erase(session, profile)
    without = msgspec.structs.replace(profile, status_map=tmp_path / "gone.yaml")

    drain(session, without, ScriptedSource(page({**ROWS[0], "statuscode": "101"})))

    assert column(store, "SELECT parse_error FROM ropo.page_to_replay") == ["ConfigurationError"]
    assert replay(session, profile).pages == 1
    assert column(store, "SELECT statuscode FROM ropo.status_event WHERE statusid = 'C1'") == ["101"]
    assert places_of(store, SECRET) == set()


def test_a_broken_answer_does_not_bring_a_text_back(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)
    broken = PollInDoubtError("broke off", http_status=200, body=json.dumps(ROWS).encode()[:150])

    by_date(session, profile, ScriptedSource(broken, page()))

    assert places_of(store, SECRET) == set()
    assert column(
        store, "SELECT size FROM ropo.status_page JOIN ropo.status_poll USING (poll_id) "
        "WHERE outcome = 'in_doubt' ORDER BY poll_id DESC LIMIT 1"
    ) == [150]  # fmt: skip


def test_a_page_parsed_later_does_not_bring_a_text_back(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)
    body = page(*ROWS).body
    poll_id = filled.poll("date", "landed", filter_value=str(DATE), closed_at=NOW)
    execute(
        store,
        "INSERT INTO ropo.status_page (poll_id, body, sha256, received_at, complete) VALUES (%s, %s, '', %s, true)",
        (poll_id, psycopg2.Binary(body), NOW),
    )

    assert replay(session, profile).pages == 1

    assert places_of(store, SECRET) == set()


def test_a_page_that_a_drain_lands_meanwhile_is_left_to_the_drain(
    filled: World, session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events are not stored yet: what it shows again is withheld with them."""
    erase_pages = TextErasure._pages_of_invoice

    def meanwhile(erasure: TextErasure, rows: InvoiceRows, done: Erased) -> None:
        land_alone(session, profile, page(*ROWS))
        erase_pages(erasure, rows, done)

    monkeypatch.setattr(TextErasure, "_pages_of_invoice", meanwhile)
    erase(session, profile)
    assert drain(session, profile, ScriptedSource()).taken_up == 1

    assert places_of(store, SECRET) == set()


def test_what_came_of_an_unsettled_doubt_stays_and_its_doubt_is_to_be_settled_first(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    drain_broken(session, profile)
    (doubt,) = column(store, "SELECT poll_id FROM ropo.status_poll WHERE recovery = 'pending'")
    came = bodies(store)[-1]

    with pytest.raises(NotDealtWithError, match=rf"1 poll in doubt \(ids {doubt}\)"):
        erase(session, profile)

    assert bodies(store)[-1] == came
    assert column(store, "SELECT count(*) FROM ropo.status_event WHERE erased_at IS NOT NULL") == [0]
    execute(store, "UPDATE ropo.status_poll SET recovery = 'unproven' WHERE poll_id = %s", (doubt,))
    with session.transaction() as cursor:
        accept_doubt(cursor, int(str(doubt)), by="Eero", note="nothing was lost")
    erase(session, profile)
    assert column(store, "SELECT body FROM ropo.status_page WHERE poll_id = %s", (doubt,)) == [None]


def test_what_came_of_a_doubt_meanwhile_stays(
    filled: World, session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase_pages = TextErasure._pages_of_invoice

    def meanwhile(erasure: TextErasure, rows: InvoiceRows, done: Erased) -> None:
        drain_broken(session, profile)
        erase_pages(erasure, rows, done)

    monkeypatch.setattr(TextErasure, "_pages_of_invoice", meanwhile)
    erase(session, profile)

    kept_bodies = (
        "SELECT body IS NOT NULL FROM ropo.status_page JOIN ropo.status_poll USING (poll_id) WHERE recovery = 'pending'"
    )
    assert column(store, kept_bodies) == [True]


def test_it_is_on_record_and_the_record_cannot_be_changed(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)

    columns = "reason, billnum, erased_by, note, sum(events), sum(pages)"
    assert query(store, f"SELECT {columns} FROM ropo.text_erasure GROUP BY 1, 2, 3, 4") == [
        ("invoice", "10001", "Aino", "asked for by the customer", 3, 3)
    ]
    for change in ("UPDATE ropo.text_erasure SET note = ''", "DELETE FROM ropo.text_erasure"):
        with pytest.raises(psycopg2.errors.RaiseException, match="append-only"):
            execute(store, change)


def test_erasing_again_finds_nothing_new_and_is_on_record_too(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    erase(session, profile)

    again = erase(session, profile)

    assert (again.events, again.revisions, again.quarantined, again.pages, again.labels) == (0, 0, 0, 0, 0)
    assert column(store, "SELECT count(*) FROM ropo.text_erasure WHERE events = 0 AND pages = 0") == [1]


def test_an_unknown_invoice_is_an_error(filled: World, session: Session, profile: Profile) -> None:
    with pytest.raises(NothingToEraseError, match="no row of invoice 999 is known"):
        erase(session, profile, "999")


def test_a_row_that_waits_in_quarantine_is_dealt_with_first(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(*ROWS, BAD_ROW)))

    with pytest.raises(NotDealtWithError, match=r"1 row in quarantine \(ids 1\)"):
        erase(session, profile)

    assert column(store, "SELECT count(*) FROM ropo.status_event WHERE erased_at IS NOT NULL") == [0]


def test_an_invoice_whose_only_row_waits_in_quarantine_is_not_said_to_be_unknown(
    session: Session, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(BAD_ROW)))

    with pytest.raises(NotDealtWithError, match="1 row in quarantine"):
        erase(session, profile)


def test_an_invoice_whose_only_row_is_in_an_unparsed_page_is_not_said_to_be_unknown(
    session: Session, profile: Profile
) -> None:
    land_alone(session, profile, page(*ROWS))

    with pytest.raises(NotDealtWithError, match="1 page is not parsed yet"):
        erase(session, profile)


@pytest.mark.parametrize("missing", ["by", "note"])
def test_who_and_why_are_asked_for(session: Session, profile: Profile, missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        TextErasure(session, profile, **{"by": "Aino", "note": "asked for", missing: " "})


def test_a_drain_does_not_wait_for_an_erasure(
    filled: World, session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    with closing(psycopg2.connect(store_dsn)) as erasing, erasing.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_event SET erased_at = now()")
        cursor.execute("UPDATE ropo.status_page SET has_texts = false")
        execute(store, f"ALTER DATABASE {store.info.dbname} SET lock_timeout = '1s'")
        session.close()

        summary = drain(session, profile, ScriptedSource(page(comment(7))))

        erasing.rollback()
    assert (summary.stopped_by, summary.new) == ("empty", 1)
