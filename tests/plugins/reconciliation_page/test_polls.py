"""The page of polls: what waits for a person is shown, and settled here with a name and a note."""

from __future__ import annotations

import datetime
import html
import re
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.page_data import polls as polls_data
from include.page_data.polls import OUTCOMES, POLLS_SHOWN
from reconciliation_page import polls as polls_page
from reconciliation_page.access import may_change
from reconciliation_page.rendering import STATIC
from tests.include.reconciliation.world import World
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER, words_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from local_airflow.embedded import Server

POLLS = "/reconciliation/polls"
NOW = datetime.datetime.now(datetime.UTC)
RAW = b'{"billnum": "1", "statustype": "comment", "statustext": "<script>x</script> \xff"}'


@pytest.fixture
def world(postgres: Server, store_connection: str) -> World:
    """The store that the page shows; no ledger."""
    return World(postgres.dsn(store_connection), "", Profile(name="default"))


def doubt(world: World, recovery: str = "unproven") -> int:
    poll_id = world.poll(
        "drain",
        "in_doubt",
        opened_at=NOW,
        closed_at=NOW,
        error="ReadTimeout: <none>",
        window_from=datetime.date(2026, 3, 1),
        window_to=datetime.date(2026, 3, 3),
        recovery=recovery,
        recovery_reason="the answer of 2026-03-02 was possibly cut",
    )
    for day, ticked, reason in (("2026-03-01", NOW, None), ("2026-03-02", None, "possibly cut")):
        world.store(
            "INSERT INTO ropo.status_poll_window_date (poll_id, business_date, ticked_at, brought, reason) "
            "VALUES (%s, %s, %s, 4, %s)",
            (poll_id, day, ticked, reason),
        )
    return poll_id


def test_a_doubt_is_shown_with_its_window_and_accepted_with_a_note(client: TestClient, world: World) -> None:
    poll_id = doubt(world)
    page = client.get(POLLS).text
    assert "ReadTimeout: &lt;none&gt;" in page
    assert "1 of 3 shown whole, 8 changes brought" in page
    assert "the answer of 2026-03-02 was possibly cut" in page

    answer = client.post(f"{POLLS}/doubts/{poll_id}", data={"note": "asked Ropo: <nothing>"}, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    query = "SELECT recovery, accepted_by, accepted_note FROM ropo.status_poll WHERE poll_id = %s"
    assert world.store(query, (poll_id,)) == [("accepted", USER, "asked Ropo: <nothing>")]
    page = client.get(answer.headers["location"]).text
    assert "The doubt is accepted" in page
    assert "asked Ropo: &lt;nothing&gt;" in page
    again = client.post(f"{POLLS}/doubts/{poll_id}", data={"note": "x"}, headers=SAME_ORIGIN)
    assert again.status_code == 409


def test_a_doubt_that_is_being_reread_says_how_it_is_accepted_where_that_cannot_be_done(
    client: TestClient, world: World
) -> None:
    poll_id = doubt(world, "pending")
    assert f"accept {poll_id} --not-asked --note" in client.get(POLLS).text
    doubt(world, "unproven")
    assert client.get(POLLS).text.count("--not-asked") == 1


@pytest.mark.parametrize("recovery", ["pending", "recovered", "accepted"])
def test_only_what_stayed_unproven_can_be_accepted(client: TestClient, world: World, recovery: str) -> None:
    poll_id = doubt(world, recovery)
    assert f"doubts/{poll_id}" not in client.get(POLLS).text
    assert client.post(f"{POLLS}/doubts/{poll_id}", data={"note": "x"}, headers=SAME_ORIGIN).status_code == 409


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        ("", "Write a note"),
        ("   ", "Write a note"),
        ("x" * 2001, "2001 characters, and 2000 are the most"),
        ("asked\x00Ropo", "holds a character that cannot be kept"),
    ],
    ids=["empty", "blank", "long", "NUL"],
)
def test_a_note_that_is_not_taken_stands_in_its_form_again_with_the_reason(
    client: TestClient, world: World, note: str, problem: str
) -> None:
    poll_id = doubt(world)
    world.quarantine(RAW, NOW)
    for path in (f"doubts/{poll_id}", "rows/1"):
        answer = client.post(f"{POLLS}/{path}", data={"note": note}, headers=SAME_ORIGIN)
        assert answer.status_code == 409
        (told,) = re.findall(r'role="alert">(.*?)</p>', answer.text, re.DOTALL)
        assert problem in told
        assert f'<a href="#{path.partition("s/")[0]}-' in told
        assert "Your note was not kept" not in told
        (form,) = re.findall(rf"polls/{path}\?[^>]*>(.*?)</form>", answer.text, re.DOTALL)
        assert f'value="{html.escape(note)}"' in form
        assert answer.text.count(' value="' + html.escape(note) + '" placeholder') == 1
    assert world.store("SELECT recovery FROM ropo.status_poll WHERE poll_id = %s", (poll_id,)) == [("unproven",)]


def test_a_line_break_of_a_form_counts_once(client: TestClient, world: World) -> None:
    poll_id = doubt(world)
    note = "\r\n".join(["x" * 99] * 20)
    answer = client.post(f"{POLLS}/doubts/{poll_id}", data={"note": note}, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    kept = world.store("SELECT accepted_note FROM ropo.status_poll WHERE poll_id = %s", (poll_id,))
    assert kept == [(note.replace("\r", ""),)]


def test_a_note_to_what_somebody_else_settled_meanwhile_is_not_lost(client: TestClient, world: World) -> None:
    poll_id = doubt(world, "accepted")
    answer = client.post(f"{POLLS}/doubts/{poll_id}", data={"note": "asked <Ropo>"}, headers=SAME_ORIGIN)
    assert answer.status_code == 409
    (told,) = re.findall(r'role="alert">(.*?)</p>', answer.text, re.DOTALL)
    assert "Somebody may have settled it meanwhile" in told
    assert "asked &lt;Ropo&gt;" in told


def test_an_address_alone_proves_nothing_was_done(client: TestClient, world: World) -> None:
    other = doubt(world, "accepted")
    world.store("UPDATE ropo.status_poll SET accepted_by = 'bob', accepted_note = 'x' WHERE poll_id = %s", (other,))
    world.quarantine(RAW, NOW)
    for done in ({"done": "accepted"}, {"done": "accepted", "settled": doubt(world)},
                 {"done": "accepted", "settled": other}, {"done": "dismissed", "settled": 1},
                 {"done": "replayed", "untried": 7}):  # fmt: skip
        page = client.get(POLLS, params=done).text
        assert 'role="status"' not in page, done
    half = client.get(POLLS, params={"done": "replayed"}).text
    assert 'class="notice good"' not in half, "a row waits still"


def test_where_not_all_doubts_are_shown_that_is_said(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        doubt(world)
    page = client.get(POLLS).text
    assert "are shown: those that wait first" not in page
    assert "none is being re-read" in page
    monkeypatch.setattr(polls_data, "DOUBTS_SHOWN", 2)
    assert "2 of 3 are shown: those that wait first, then the newest." in client.get(POLLS).text


def test_nothing_is_called_whole_that_was_never_asked_for(client: TestClient) -> None:
    page = client.get(POLLS).text
    assert "The queue was not polled yet" in page
    assert "No poll was ever in doubt" not in page


def test_a_poll_that_was_left_open_is_told(client: TestClient, world: World) -> None:
    world.poll("drain", "open", opened_at=NOW - datetime.timedelta(minutes=16))
    page = client.get(POLLS).text
    assert "1 poll was left open by a process that died" in page


def test_a_row_in_quarantine_is_shown_escaped_to_those_who_may_edit_and_dismissed_with_a_note(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    world.quarantine(RAW, NOW)
    page = client.get(POLLS).text
    assert html.escape("<script>x</script> \\xff") in page
    assert "<script>x" not in page

    page_app.dependency_overrides[may_change] = lambda: False
    page = client.get(POLLS).text
    assert "script&gt;x" not in page
    assert "personal data" in page
    dismissed = client.post(f"{POLLS}/rows/1", data={"note": "read by hand"}, headers=SAME_ORIGIN)
    assert dismissed.status_code == 403

    page_app.dependency_overrides[may_change] = lambda: True
    dismissed = client.post(f"{POLLS}/rows/1", data={"note": "read by hand"}, headers=SAME_ORIGIN)
    assert dismissed.status_code == 303
    assert world.store("SELECT resolution FROM ropo.status_quarantine") == [(f"dismissed by {USER}: read by hand",)]
    page = client.get(dismissed.headers["location"]).text
    assert "The row is dismissed" in page
    assert "Nothing in quarantine" in page


def test_what_waits_in_another_profile_is_not_settled_from_this_one(
    client: TestClient, world: World, two_profiles: None
) -> None:
    poll_id = doubt(world)
    world.quarantine(RAW, NOW)
    for path in (f"doubts/{poll_id}", "rows/1"):
        answer = client.post(f"{POLLS}/{path}?profile=other", data={"note": "x"}, headers=SAME_ORIGIN)
        assert answer.status_code == 409
    assert world.store("SELECT recovery FROM ropo.status_poll WHERE poll_id = %s", (poll_id,)) == [("unproven",)]
    assert world.store("SELECT resolved_at FROM ropo.status_quarantine") == [(None,)]
    page = client.get(f"{POLLS}?profile=other").text
    assert "Nothing in quarantine" in page
    assert "ReadTimeout" not in page
    figures = words_of(page, '<div class="figures">.*?<div class="grid">')
    assert "Doubts unproven 0" in figures
    assert "Rows and pages not read 0" in figures


def test_changes_are_refused_from_other_sites_and_to_those_who_may_not_edit(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    poll_id = doubt(world)
    for path in (f"doubts/{poll_id}", "rows/1", "replay"):
        assert client.post(f"{POLLS}/{path}", data={"note": "x"}).status_code == 403
    page_app.dependency_overrides[may_change] = lambda: False
    for path in (f"doubts/{poll_id}", "rows/1", "replay"):
        assert client.post(f"{POLLS}/{path}", data={"note": "x"}, headers=SAME_ORIGIN).status_code == 403
    assert "Accept as it is" not in client.get(POLLS).text


def test_the_journal_is_filtered_and_paged(client: TestClient, world: World) -> None:
    for number in range(POLLS_SHOWN + 3):
        world.poll("date", "refused", filter_value=f"2026-01-{number % 28 + 1:02}", opened_at=NOW, closed_at=NOW)
    first = client.get(POLLS, params={"outcome": "refused"}).text
    assert first.count('class="tag outcome-refused"') == POLLS_SHOWN
    older = html.unescape(first.split('">Older')[0].rsplit('href="', 1)[1])
    assert client.get(older).text.count('class="tag outcome-refused"') == 3
    landed = client.get(POLLS, params={"outcome": "landed"}).text
    assert re.findall('class="tag outcome-([^"]+)"', landed) == ["landed"]
    world.poll("drain", "landed", opened_at=NOW, closed_at=NOW)
    assert client.get(older).text.count('class="tag outcome-landed"') == 0
    assert "No such poll" in client.get(POLLS, params={"kind": "billnum"}).text
    assert client.get(POLLS, params={"kind": "x"}).status_code == 422


def test_the_journal_says_of_each_poll_what_was_amiss_with_it(client: TestClient, world: World) -> None:
    amiss = {"quarantined_count": 3, "revised_count": 2, "absent_count": 4, "possibly_cut": True}
    asked = {"filter_value": "2026-03-10", "opened_at": NOW, "closed_at": NOW, "row_count": 9, "new_count": 8}
    world.poll("date", "landed", completeness="100 rows", **amiss, **asked)
    world.page(complete=True)
    newest, first = re.findall(
        "<tr>.*?</tr>", client.get(POLLS).text.partition('id="journal-title"')[2].partition("<tbody>")[2], re.DOTALL
    )
    assert words_of(newest, ".*").endswith(
        "date 2026-03-10 landed 9 8 3 rows in quarantine 2 events with other content than before "
        "4 events held for the date not shown possibly cut: 100 rows –"
    )
    assert words_of(first, ".*").endswith("the queue landed – – its events wait to be stored: bad –")


@pytest.mark.parametrize(
    ("lost", "told"), [(0, "nothing had been lost"), (2, "2 changes that it had lost brought back")]
)
def test_a_recovered_doubt_says_what_it_had_lost(client: TestClient, world: World, lost: int, told: str) -> None:
    poll_id = doubt(world, "recovered")
    assert "no 204 came before it" not in client.get(POLLS).text
    world.store(
        "UPDATE ropo.status_poll SET recovered_at = now(), recovered_count = %s, bounded = true WHERE poll_id = %s",
        (lost, poll_id),
    )
    facts = words_of(client.get(POLLS).text, '<dl class="facts">(.*?)</dl>')
    assert told in facts
    assert "3 dates; no 204 came before it, so it begins at the profile's start_date" in facts


def test_what_waits_is_counted_by_its_own_name_and_a_list_that_is_cut_says_so(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for recovery in ("unproven", "pending", "pending", "recovered"):
        doubt(world, recovery)
    world.page(complete=True)
    assert "Nothing in quarantine" not in client.get(POLLS).text
    for number in range(3):
        world.quarantine(str(number).encode(), NOW)
    page = client.get(POLLS).text
    figures = words_of(page, '<div class="figures">.*?<div class="grid">')
    assert "Doubts unproven 1 wait for a person" in figures
    assert "Doubts being re-read 2 the next drain goes on" in figures
    assert "Rows and pages not read 4 3 rows in quarantine, 1 page" in figures
    assert "1 whole page could not be parsed and is kept" in page
    assert "The oldest" not in page
    for module in (polls_data, polls_page):
        monkeypatch.setattr(module, "ROWS_SHOWN", 2)
    assert "The oldest 2 of 3." in client.get(POLLS).text


def test_another_consumer_of_the_queue_is_said_at_the_top(client: TestClient, world: World) -> None:
    assert "Another consumer" not in client.get(POLLS).text
    statusid = world.payment("1", "1.00")
    world.store(
        "INSERT INTO ropo.undrained_event (profile, statusid, shown_by_poll_id, empty_poll_id) VALUES (%s, %s, %s, %s)",
        ("default", statusid, world.poll_id, world.poll_id),
    )
    assert "Another consumer of the queue." in client.get(POLLS).text
    # As the alert, it ends: some time after the last of them, and where one is explained.
    world.store("UPDATE ropo.undrained_event SET noticed_at = noticed_at - interval '3 days'")
    assert "Another consumer" not in client.get(POLLS).text
    world.store("UPDATE ropo.undrained_event SET noticed_at = now()")
    world.store("UPDATE ropo.status_event SET drained_poll_id = %s, source = 'date'", (world.poll_id,))
    assert "Another consumer" not in client.get(POLLS).text


def test_each_day_has_its_outcomes(client: TestClient, world: World) -> None:
    world.poll("drain", "empty", opened_at=NOW, closed_at=NOW)
    doubt(world)
    page = client.get(POLLS).text
    assert "1 nothing more (204), 1 in doubt; 0 new changes" in page
    assert "✕ 1</text>" in page


def test_that_a_date_had_no_change_is_not_called_an_empty_queue(client: TestClient, world: World) -> None:
    world.poll("drain", "empty", opened_at=NOW, closed_at=NOW)
    world.poll("date", "empty", filter_value="2026-03-10", opened_at=NOW, closed_at=NOW)
    page = client.get(POLLS).text
    assert re.findall(r'<span class="tag outcome-empty">([^<]+)<', page) == ["nothing more (204)", "queue empty (204)"]
    assert "2 nothing more (204)" in page


def test_the_journal_calls_a_poll_left_open_as_the_head_does(client: TestClient, world: World) -> None:
    world.poll("drain", "open", opened_at=NOW - datetime.timedelta(days=2))
    world.poll("drain", "open", opened_at=datetime.datetime.now(datetime.UTC))
    tags = re.findall(r'<span class="tag outcome-open">([^<]+)<', client.get(POLLS).text)
    assert tags == ["under way", "left open"]


def test_an_outcome_has_one_colour_in_the_bars_and_in_their_legend() -> None:
    style = (STATIC / "page.css").read_text(encoding="utf-8")
    colours = re.findall(r"^\.outcome-(\w+) \{ background: ([^;]+); fill: ([^;]+); \}", style, re.MULTILINE)
    assert {name for name, _, _ in colours} == set(OUTCOMES)
    assert [name for name, ground, bar in colours if ground != bar] == []


@pytest.mark.parametrize("path", ["doubts/7", "rows/7", "replay"])
def test_the_address_of_a_form_that_was_refused_leads_back_to_the_polls(client: TestClient, path: str) -> None:
    answer = client.get(f"{POLLS}/{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{POLLS}?profile=default")
