"""The page of all profiles: those that need somebody first, each in its own zone and currencies."""

from __future__ import annotations

import datetime
import re
from html import unescape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from include.config.profiles import load_profiles
from reconciliation_page.access import may_read
from tests.include.watch.records import record
from tests.include.watch.signatures import flag, sign
from tests.plugins.reconciliation_page.companies import ZONES, before, fill, write_profiles

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

PATH = "/reconciliation/profiles"


def named(date: datetime.date) -> str:
    return f"{date:%a} {date.day} {date:%b %Y}"


def rows(page: str) -> dict[str, list[str]]:
    """What the cells of each profile's row say, by its name, in the page's order."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        said = [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).replace("\u202f", "").split()) for cell in cells]
        found[said[0].split()[0]] = said
    return found


@pytest.fixture
def profiles_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client: TestClient) -> Path:
    """Profiles of five companies, of which the store knows nothing yet."""
    file = tmp_path / "profiles.yaml"
    write_profiles(file)
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))
    return file


@pytest.fixture
def companies(profiles_file: Path, store: Connection) -> None:
    """The five companies, each in another state."""
    fill(store)


@pytest.mark.usefixtures("companies")
def test_those_that_need_somebody_come_first_with_the_most_dates_before_others(client: TestClient) -> None:
    page = client.get(PATH).text
    assert list(rows(page)) == ["broken", "lacking", "new", "doubtful", "calm"]
    assert ">5 profiles: 4 need somebody<" in page
    assert re.findall(r'scope="rowgroup"[^>]*>([^<]+)<', page) == ["Need somebody", "Need nobody"]


@pytest.mark.usefixtures("companies")
def test_a_profile_in_order_says_so_in_each_cell(client: TestClient) -> None:
    _, verdict, dates, breaks, stake, waiting, queue = rows(client.get(PATH).text)["calm"]
    assert verdict == f"✓ Reconciled {named(before('calm', 1))}"
    assert (dates, breaks, stake, waiting) == ("0", "0", "0.00 EUR", "nothing")
    assert queue.endswith("5 min ago")


@pytest.mark.usefixtures("companies")
def test_breaks_are_counted_and_their_money_is_added_in_no_two_currencies(client: TestClient) -> None:
    _, verdict, dates, breaks, stake, *_ = rows(client.get(PATH).text)["broken"]
    assert verdict == f"✕ Breaks {named(before('broken', 1))}"
    assert dates == "2"
    assert breaks == "3 1 high"
    assert stake == "7.00 EUR 5000.00 NOK and 1 not known"


@pytest.mark.usefixtures("profiles_file")
def test_where_no_amount_is_known_none_is_shown(client: TestClient, store: Connection) -> None:
    fill(store)
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET state = 'resolved', resolved_at = now() WHERE amount > 0")
    assert rows(client.get(PATH).text)["broken"][4] == "not known"


@pytest.mark.usefixtures("companies")
def test_what_waits_is_told_and_that_the_queue_is_not_emptied(client: TestClient) -> None:
    *_, waiting, queue = rows(client.get(PATH).text)["doubtful"]
    assert waiting == "2 in doubt 1 poll left open 1 in quarantine 1 page not read"
    assert queue.endswith("3 h ago not emptied for an hour")


@pytest.mark.usefixtures("companies")
def test_a_date_that_is_due_and_has_no_verdict_stands_before_the_newest_that_was_compared(client: TestClient) -> None:
    _, verdict, dates, *_ = rows(client.get(PATH).text)["lacking"]
    assert verdict == f"– No run {named(before('lacking', 1))}"
    assert dates == "1"


@pytest.mark.usefixtures("companies")
def test_a_profile_of_which_nothing_was_heard_says_so_and_shows_no_zeros(client: TestClient) -> None:
    _, *said = rows(client.get(PATH).text)["new"]
    assert said == [
        "None yet nothing was compared yet",
        "– not known",
        "– not known",
        "not known",
        "nothing",
        "Not polled yet",
    ]


@pytest.mark.usefixtures("companies")
def test_a_moment_is_that_of_the_profiles_own_zone(client: TestClient, store: Connection) -> None:
    with store.cursor() as cursor:
        cursor.execute("SELECT profile, max(closed_at) FROM ropo.status_poll WHERE outcome = 'empty' GROUP BY profile")
        emptied = dict(cursor.fetchall())
    shown = rows(client.get(PATH).text)
    for name, at in emptied.items():
        assert shown[name][-1].startswith(f"{at.astimezone(ZoneInfo(ZONES[name])):%Y-%m-%d %H:%M}")


@pytest.mark.usefixtures("companies")
def test_each_number_leads_to_where_it_is_explained(client: TestClient) -> None:
    page = client.get(PATH, params={"profile": "doubtful"}).text
    content = page.partition("<main")[2]
    links = {unescape(address) for address in re.findall(r'href="(/[^"]+)"', content)}
    for expected in (
        "/reconciliation/?profile=broken",
        f"/reconciliation/dates/{before('broken', 1)}?profile=broken",
        "/reconciliation/?profile=broken&needing=all#needing-title",
        "/reconciliation/breaks?profile=broken",
        "/reconciliation/breaks?profile=broken&severity=high",
        "/reconciliation/polls?profile=doubtful",
    ):
        assert expected in links
    assert {address: client.get(address).status_code for address in links} == dict.fromkeys(links, 200)
    high = client.get("/reconciliation/breaks?profile=broken&severity=high").text
    assert "1 break matches: 5\u202f000.00 NOK at stake" in high


@pytest.mark.usefixtures("companies")
def test_each_row_says_what_the_profiles_own_overview_says(client: TestClient) -> None:
    for name, (_, verdict, dates, breaks, _, _, queue) in rows(client.get(PATH).text).items():
        overview = client.get("/reconciliation/", params={"profile": name, "needing": "all"}).text
        text = " ".join(unescape(re.sub(r"<[^>]+>", " ", overview)).split())
        date = re.search(r"\w{3} \d+ \w{3} \d{4}", verdict)
        assert (date[0] if date else "None yet") in text
        listed = re.findall(r"<li>\s*<a href=", overview.partition('class="needing"')[2].partition("</ul>")[0])
        assert len(listed) == (0 if dates.startswith("–") else int(dates))
        assert f"Open breaks {breaks.split()[0]} " in text
        assert ("not emptied for an hour" in queue) == ("not emptied for an hour" in text)


def test_only_where_there_are_several_profiles_the_page_is_led_to(client: TestClient, profiles_file: Path) -> None:
    assert client.get("/reconciliation/?profile=calm").text.count('href="/reconciliation/profiles?profile=calm"') == 2
    assert 'href="/reconciliation/profiles?profile=calm"' in client.get("/reconciliation/polls?profile=calm").text
    profiles_file.write_text("profiles:\n  - name: alone\n", encoding="utf-8")
    assert len(load_profiles()) == 1
    assert "reconciliation/profiles" not in client.get("/reconciliation/").text
    page = client.get(PATH).text
    assert ">1 profile: 1 needs somebody<" in page, "who has its address is shown the one"


@pytest.mark.usefixtures("profiles_file")
def test_an_empty_store_says_of_each_profile_that_nothing_is_known(client: TestClient) -> None:
    page = client.get(PATH).text
    assert list(rows(page)) == list(ZONES)
    assert page.count("None yet") == page.count("Not polled yet") == len(ZONES)
    assert "Need nobody" not in page


@pytest.mark.usefixtures("companies")
def test_none_needs_anybody_where_all_are_in_order(client: TestClient, profiles_file: Path) -> None:
    text = profiles_file.read_text(encoding="utf-8")
    profiles_file.write_text(text.partition("  - name: new")[0], encoding="utf-8")
    page = client.get(PATH).text
    assert ">1 profile: none needs anybody<" in page
    assert "Need somebody" not in page


@pytest.mark.usefixtures("companies")
def test_what_the_next_drain_sees_to_needs_nobody(client: TestClient, store: Connection) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ropo.status_poll (profile, kind, outcome, closed_at, window_from, window_to, recovery)
            VALUES ('calm', 'drain', 'in_doubt', now(), '2026-01-01', '2026-01-02', 'pending')
            """
        )
    page = client.get(PATH).text
    assert list(rows(page))[-1] == "calm"
    assert rows(page)["calm"][5] == "1 in doubt"


@pytest.mark.usefixtures("companies")
def test_a_month_that_is_signed_by_one_alone_needs_somebody_until_another_countersigns_it(
    client: TestClient, profiles_file: Path, store: Connection
) -> None:
    first = before("calm", 0).replace(day=1)
    month = (first - datetime.timedelta(days=1)).replace(day=1)
    text = profiles_file.read_text(encoding="utf-8")
    text = text.replace(f"start_date: {before('calm', 5)}", f"start_date: {min(month, before('calm', 5))}", 1)
    profiles_file.write_text(text, encoding="utf-8")
    assert list(rows(client.get(PATH).text))[-1] == "calm"
    signed = sign(store, str(month), profile="calm")
    page = client.get(PATH).text
    assert ">5 profiles: 5 need somebody<" in page
    assert rows(page)["calm"][2] == "0 1 signed month"
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.period_sign_off SET countersigned_by = 'Otto', countersigned_at = now() "
            "WHERE sign_off_id = %s",
            (signed,),
        )
    assert rows(client.get(PATH).text)["calm"][2] == "0"
    assert ">5 profiles: 4 need somebody<" in client.get(PATH).text
    flag(store, signed, month, profile="calm")
    assert rows(client.get(PATH).text)["calm"][2].endswith("1 signed month")
    assert ">5 profiles: 5 need somebody<" in client.get(PATH).text


@pytest.mark.usefixtures("companies")
def test_an_empty_ledger_makes_no_zero_of_breaks(client: TestClient, store: Connection) -> None:
    record(store, before("calm", 1), "incomplete", reasons=("ledger_empty",), profile="calm")
    _, verdict, dates, breaks, stake, *_ = rows(client.get(PATH).text)["calm"]
    assert verdict.startswith("? Incomplete")
    assert (dates, breaks, stake) == ("1", "– not known the ledger came empty", "not known")


@pytest.mark.usefixtures("companies")
def test_it_has_no_need_of_a_script_and_none_of_its_own(client: TestClient) -> None:
    page = client.get(PATH).text
    assert page.count("<script") == page.count("<script src=") == 1
    assert "style=" not in page
    assert "data-" not in page.partition("<main")[2]


@pytest.mark.usefixtures("companies")
def test_another_profile_is_chosen_by_its_overview(client: TestClient) -> None:
    page = client.get(PATH, params={"profile": "calm"}).text
    assert '<form method="get" action="/reconciliation/" class="picker">' in page
    assert '<option value="calm" selected>' in page


@pytest.mark.usefixtures("companies")
def test_errors_are_those_of_every_page(client: TestClient, page_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get(PATH, params={"profile": "unknown"}).status_code == 404
    with monkeypatch.context() as patch:
        patch.delenv("AIRFLOW_CONN_ROPO_STORE")
        away = client.get(PATH)
    assert away.status_code == 503
    assert "Connection ropo_store does not exist" in away.text
    page_app.dependency_overrides[may_read] = lambda: False
    assert client.get(PATH).status_code == 403
