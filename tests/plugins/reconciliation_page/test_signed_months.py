"""The months by their signatures: a list beside each one's sign-off, and on the overview those that need somebody."""

from __future__ import annotations

import datetime
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from reconciliation_page import overview as overview_page
from reconciliation_page import sign_off as sign_off_page
from tests.include.watch.signatures import flag, sign
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, words_of

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

DAY = datetime.timedelta(days=1)


def before(months: int) -> datetime.date:
    """The first day of the month so many months ago. Looked at in each test: a run may go over midnight."""
    first = Profile(name="default").business_date(datetime.datetime.now(datetime.UTC)).replace(day=1)
    for _ in range(months):
        first = (first - DAY).replace(day=1)
    return first


def begin(profiles: Path, start: datetime.date, more: str = "") -> None:
    profiles.write_text(f"profiles:\n  - name: default\n    start_date: {start}\n{more}", encoding="utf-8")


@pytest.fixture
def profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client: TestClient) -> Path:
    """The profiles file: the profile begins on the second day of the month five months ago."""
    file = tmp_path / "profiles.yaml"
    begin(file, before(5) + DAY)
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))
    return file


@pytest.fixture
def signed(profiles: Path, store: Connection) -> None:
    """Of five months the oldest is countersigned, the next has changed, then two are signed by one, one not at all."""
    sign(store, str(before(5)), "Otto")
    flag(store, sign(store, str(before(4)), "Otto"), before(4) + DAY)
    sign(store, str(before(3)), signed_by="<Maija>")
    sign(store, str(before(2)))


def words(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def listed(page: str, title: str) -> list[str]:
    """The entries of the list under a heading."""
    _, _, rest = page.partition(f">{title}</h")
    return re.findall(r"<li[^>]*>(.*?)</li>", rest.partition("</ul>")[0].partition("</ol>")[0], re.DOTALL)


def addresses(entries: list[str]) -> list[str]:
    return [unescape(address) for entry in entries for address in re.findall(r'href="([^"]*)"', entry)]


def month(months: int) -> str:
    return f"{before(months):%B %Y}"


@pytest.mark.usefixtures("signed")
def test_the_sign_off_lists_every_month_with_how_it_is_signed_and_leads_to_each(client: TestClient) -> None:
    entries = listed(client.get(f"/reconciliation/sign-off/{before(2):%Y-%m}").text, "Months")
    assert [words(each) for each in entries] == [
        f"{month(1)} not signed",
        f"{month(2)} signed by Anna, not countersigned",
        f"{month(3)} signed by <Maija>, not countersigned",
        f"{month(4)} changed since it was signed",
        f"{month(5)} signed by Anna and Otto",
    ]
    ways = addresses(entries)
    assert ways == [f"/reconciliation/sign-off/{before(each):%Y-%m}?profile=default" for each in range(1, 6)]
    assert {client.get(each).status_code for each in ways} == {200}
    assert ["aria-current" in each for each in entries] == [False, True, False, False, False]


@pytest.mark.usefixtures("signed")
def test_a_month_that_is_not_over_is_not_in_the_list_and_none_is_marked_then(client: TestClient) -> None:
    entries = listed(client.get(f"/reconciliation/sign-off/{before(0):%Y-%m}").text, "Months")
    assert len(entries) == 5
    assert "aria-current" not in "".join(entries)


def test_before_a_first_month_is_over_the_list_says_so(client: TestClient, profiles: Path) -> None:
    begin(profiles, before(0))
    page = client.get(f"/reconciliation/sign-off/{before(1):%Y-%m}").text
    assert listed(page, "Months") == []
    assert "No month is over yet" in page


@pytest.mark.usefixtures("profiles")
def test_of_many_months_the_newest_are_listed_and_the_older_ones_are_one_press_away(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_off_page, "MONTHS", 2)
    page = client.get(f"/reconciliation/sign-off/{before(1):%Y-%m}").text
    assert [words(each) for each in listed(page, "Months")] == [f"{month(1)} not signed", f"{month(2)} not signed"]
    ((address, older),) = re.findall(r'<a href="([^"]*)">and (\d+) older</a>', page)
    assert older == "3"
    every = client.get(unescape(address)).text
    assert len(listed(every, "Months")) == 5
    assert "older</a>" not in every


@pytest.mark.usefixtures("profiles")
def test_an_older_month_that_is_shown_is_marked_among_all(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_off_page, "MONTHS", 2)
    entries = listed(client.get(f"/reconciliation/sign-off/{before(4):%Y-%m}").text, "Months")
    assert ["aria-current" in each for each in entries] == [False, False, False, True, False]


@pytest.mark.usefixtures("signed")
def test_a_signature_that_was_refused_shows_the_list_too(client: TestClient) -> None:
    path = f"/reconciliation/sign-off/{before(1):%Y-%m}/sign"
    answer = client.post(path, data={"note": "", "shown": "x"}, headers=SAME_ORIGIN)
    assert answer.status_code == 409
    assert len(listed(answer.text, "Months")) == 5


@pytest.mark.usefixtures("signed")
def test_the_overview_names_each_month_that_changed_or_that_one_alone_signed(client: TestClient) -> None:
    entries = listed(client.get("/reconciliation/").text, "Signed months that need somebody")
    assert [words(each) for each in entries] == [
        f"{month(4)} ! Changed Changed since it was signed by Anna and Otto. Look at what changed, then sign it again.",
        f"{month(2)} ◔ Half signed Signed by Anna; another person countersigns it.",
        f"{month(3)} ◔ Half signed Signed by <Maija>; another person countersigns it.",
    ]
    ways = [f"/reconciliation/sign-off/{before(each):%Y-%m}?profile=default" for each in (4, 2, 3)]
    assert addresses(entries) == ways


def test_the_overview_says_nothing_of_months_that_are_not_signed_or_by_both(
    client: TestClient, profiles: Path, store: Connection
) -> None:
    assert "Signed months" not in client.get("/reconciliation/").text
    sign(store, str(before(2)), "Otto")
    assert "Signed months" not in client.get("/reconciliation/").text


def test_a_month_that_is_signed_again_by_both_needs_nobody(
    client: TestClient, profiles: Path, store: Connection
) -> None:
    flag(store, sign(store, str(before(4)), "Otto"), before(4) + DAY)
    assert "Signed months" in client.get("/reconciliation/").text
    sign(store, str(before(4)), "Otto")
    assert "Signed months" not in client.get("/reconciliation/").text


@pytest.mark.usefixtures("signed")
def test_of_many_such_months_the_first_are_named_and_the_others_one_press_away(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_page, "NAMED", 2)
    page = client.get("/reconciliation/").text
    title = "Signed months that need somebody"
    assert [words(each).split(" !")[0].split(" ◔")[0] for each in listed(page, title)] == [month(4), month(2)]
    ((address, further),) = re.findall(r'<a href="([^"]*#months-title)">and (\d+) more</a>', page)
    assert further == "1"
    every = client.get(unescape(address)).text
    assert len(listed(every, title)) == 3
    assert "#months-title" not in every


def test_the_profiles_count_them_and_lead_to_where_they_are_named(
    client: TestClient, profiles: Path, store: Connection
) -> None:
    begin(profiles, before(5))
    flag(store, sign(store, str(before(4)), "Otto"), before(4) + DAY)
    sign(store, str(before(2)))
    page = client.get("/reconciliation/profiles").text
    ((address, told),) = re.findall(r'<a class="tag warn" href="([^"]*#months-title)">([^<]*)</a>', page)
    assert told == "2 signed months"
    assert 'id="months-title"' in client.get(unescape(address)).text


@pytest.mark.usefixtures("month", "two_profiles")
def test_a_month_of_another_profile_is_its_own_and_its_missing_dates_stand_in_one_line(client: TestClient) -> None:
    page = client.get("/reconciliation/sign-off/2026-02?profile=other").text
    dates, full, *others = (words_of(each, ".*") for each in re.findall('<li class="unmet">.*?</li>', page, re.DOTALL))
    assert dates.startswith("28 dates have no reconciliation: 2026-02-01 , 2026-02-02 ,")
    assert full.startswith("No full comparison of 2026-02-28 or later was made")
    assert others == []
