"""Profiles: every key has its default, and a mistake is one error that names file, profile and key."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

import pytest

from include.config import profiles
from include.config.alerts import Alerts
from include.config.errors import ConfigurationError
from include.config.profiles import load_profile, load_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from include.config.profiles import Profile

    Write = Callable[[str], Path]

    class Days(TypedDict, total=False):
        recheck_days: int
        late_days: int
        first_event_days: int
        grace_business_days: int


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a profiles file."""

    def write(text: str) -> Path:
        path = tmp_path / "profiles.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def one(write: Write, *lines: str) -> Profile:
    """The one profile of a file with these keys."""
    (profile,) = load_profiles(write("profiles:\n  - name: nordic\n" + "".join(f"    {line}\n" for line in lines)))
    return profile


def test_zones_are_looked_for_once_however_many_profiles_there_are(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[set[str]] = []

    def look() -> set[str]:
        looked.append({"Europe/Helsinki"})
        return looked[-1]

    profiles._time_zones.cache_clear()
    monkeypatch.setattr(profiles, "available_timezones", look)
    path = write("profiles:\n" + "".join(f"  - name: market{number}\n" for number in range(3)))
    assert len(load_profiles(path)) == len(load_profiles(path)) == 3
    assert len(looked) == 1
    profiles._time_zones.cache_clear()


def test_the_shipped_file_says_what_the_defaults_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROPO_PROFILES_FILE", raising=False)

    (shipped,) = load_profiles()

    assert shipped == profiles.Profile(name="default")
    assert (shipped.connection, shipped.country, shipped.timezone) == ("ropo_one_default", "FI", "Europe/Helsinki")
    assert (shipped.start_date, shipped.late_days) == (datetime.date(2026, 1, 1), 7)
    assert (shipped.ledger.connection, shipped.ledger.query.name) == ("erp_ledger", "generic.sql")


def test_a_copy_of_the_shipped_file_elsewhere_says_the_same(write: Write) -> None:
    copy = write(profiles.SHIPPED_PROFILES.read_text(encoding="utf-8"))
    assert load_profiles(copy) == load_profiles(profiles.SHIPPED_PROFILES)


def test_the_paths_that_the_shipped_file_shows_are_the_defaults() -> None:
    """They are commented out: relative to a copy elsewhere they would name nothing."""
    text = profiles.SHIPPED_PROFILES.read_text(encoding="utf-8")
    shown = dict(re.findall(r"# (status_map|query): (\S+)", text))
    resolved = {key: (profiles.SHIPPED_PROFILES.parent / path).resolve() for key, path in shown.items()}
    assert resolved == {"status_map": profiles.SHIPPED_STATUS_MAP, "query": profiles.SHIPPED_QUERY}


def test_only_a_name_is_needed(write: Write) -> None:
    assert one(write) == profiles.Profile(name="nordic")


def test_keys_are_read_in_their_types(write: Write, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").touch()
    (tmp_path / "ledger.sql").touch()

    profile = one(
        write,
        "country: SE", "timezone: Europe/Stockholm", "currency: SEK", "start_date: 2026-10-01", "late_days: 0",
        'amount_tolerance: "0.05"', "status_map: map.yaml", "fail_on: []",
        "ledger: {connection: erp, query: ledger.sql, max_age_hours: 12}",
    )  # fmt: skip

    assert (profile.start_date, profile.late_days, profile.fail_on) == (datetime.date(2026, 10, 1), 0, ())
    assert profile.amount_tolerance == Decimal("0.05")
    assert profile.status_map == tmp_path / "map.yaml"
    assert (profile.ledger.query, profile.ledger.max_age_hours) == (tmp_path / "ledger.sql", 12)


def test_medium_and_high_severity_may_begin_at_once(write: Write) -> None:
    severity = one(write, "severity: {medium_amount: 5, high_amount: 5, medium_age_days: 7, high_age_days: 7}").severity
    assert (severity.medium_amount, severity.medium_age_days) == (severity.high_amount, severity.high_age_days)


def test_a_file_may_be_named_by_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("profiles: [{name: fi}, {name: se}]")
    monkeypatch.setenv("HOME", str(path.parent))

    for named in (str(path), f"~/{path.name}"):
        monkeypatch.setenv("ROPO_PROFILES_FILE", named)
        assert [profile.name for profile in load_profiles()] == ["fi", "se"]
    assert load_profile("se").name == "se"
    told = r"profile 'no': is not in the file \(any more\); the file has: fi, se"
    with pytest.raises(ConfigurationError, match=told):
        load_profile("no")


@pytest.mark.parametrize(
    ("line", "key", "problem"),
    [
        ("late_day: 7", "late_day", "is not known; did you mean late_days?"),
        ("setle_hours: 7", "setle_hours", "is not known; did you mean settle_hours?"),
        ("ledger: {conection: x}", "ledger.conection", "is not known; did you mean connection?"),
        ("alerts: {xyz: x}", "alerts.xyz", "is not known"),
        ("late_days: seven", "late_days", "expected a whole number, got 'seven'"),
        ("alerts: {arguments: token}", "alerts.arguments", "expected a mapping of keys"),
        ('late_days: "7"', "late_days", "expected a whole number, got '7'"),
        ("late_days: -1", "late_days", "expected a whole number of 0 or more, got -1"),
        ("late_days: 1000000000", "late_days", "expected a whole number of 100000 at most, got 1000000000"),
        ("late_days: true", "late_days", "expected a whole number, got true"),
        ("settle_hours: 1.5", "settle_hours", "expected a whole number, got 1.5"),
        ("date_cap: 0", "date_cap", "expected a whole number of 1 or more, got 0"),
        (
            "start_date: yesterday",
            "start_date",
            "expected a date, written as YYYY-MM-DD without quotes, got 'yesterday'",
        ),
        ("start_date: 0001-01-01", "start_date", "expected a date from 2000-01-01 to 2099-12-31, got 0001-01-01"),
        ("start_date: 1026-01-01", "start_date", "expected a date from 2000-01-01 to 2099-12-31, got 1026-01-01"),
        ("start_date: 2100-01-01", "start_date", "expected a date from 2000-01-01 to 2099-12-31, got 2100-01-01"),
        ("start_date: 2026-01-01 12:00:00", "start_date", "without quotes, got 2026-01-01 12:00:00"),
        ("timezone: Helsinki", "timezone", "expected an IANA time zone"),
        ("timezone: 3", "timezone", "expected a text, got 3"),
        ("country: Finland", "country", "expected two capital letters such as FI, got 'Finland'"),
        ("country: NO", "country", 'YAML reads yes, no, on and off as truth values: write them in quotes, as in "NO"'),
        ("connection: on", "connection", "expected a text, got true; YAML reads yes, no, on and off as truth values"),
        ("currency: eur", "currency", "expected three capital letters such as EUR"),
        ("connection: ''", "connection", "expected a text that is not empty, got ''"),
        ("amount_tolerance: -0.01", "amount_tolerance", "expected an amount of zero or more"),
        ("amount_tolerance: .nan", "amount_tolerance", "expected an amount of zero or more"),
        (
            "amount_tolerance: a little",
            "amount_tolerance",
            "expected an amount, written in quotes and with a point, as in \"0.05\", got 'a little'",
        ),
        ("severity: {medium_amount: .inf}", "severity.medium_amount", "expected an amount of zero or more"),
        ("severity: {high_amount: -1}", "severity.high_amount", "expected an amount of zero or more"),
        ("severity: {medium_amount: 5, high_amount: 4.99}", "severity.high_amount", "expected medium_amount (5)"),
        ("severity: {medium_amount: 5000}", "severity.high_amount", "medium_amount (5000) or more, got 1000.00"),
        ("severity: {high_age_days: 2}", "severity.high_age_days", "expected medium_age_days (3) or more, got 2"),
        ("status_map: missing.yaml", "status_map", "which is not a file"),
        ("status_map: .", "status_map", "which is not a file"),
        ("status_map: 5", "status_map", "expected a text, got 5"),
        ("ledger: {query: [x]}", "ledger.query", "expected a text, got a list"),
        ("ledger: {query: missing.sql}", "ledger.query", "which is not a file"),
        ("ledger: null", "ledger", "expected a mapping of keys, got nothing"),
        ("alerts: {to: [me]}", "alerts.to.0", "expected a mail address such as finance@example.com, got 'me'"),
        ("fail_on: breaks", "fail_on", "expected a list, got 'breaks'"),
        (
            "fail_on: [breaks, broken]",
            "fail_on.1",
            "expected one of reconciled, pending, breaks, incomplete, got 'broken'",
        ),
    ],
)
def test_a_mistake_names_file_profile_and_key(write: Write, line: str, key: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        one(write, line)

    message = str(caught.value)
    assert "profiles.yaml: profile 'nordic', key '" in message
    assert f"key '{key}'" in message
    assert problem in message
    # What msgspec said would stand before it as a traceback of its own.
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "key 'profiles': expected this one key at the top"),
        ("- name: a", "key 'profiles': expected this one key at the top"),
        ("profiles: {}", "key 'profiles': expected this one key at the top"),
        ("profiles: [{name: a}]\nprofile: []", "key 'profiles': expected this one key at the top"),
        ("profiles: []", "expected at least one profile"),
        ("profiles: [null]", "profile number 1: expected a mapping of keys, got nothing"),
        ("profiles: [{name: a}, {}]", "profile number 2, key 'name': is missing"),
        ("profiles: [{name: 7}]", "profile '7', key 'name': expected a text, got 7"),
        (
            "profiles: [{name: a b}]",
            "profile 'a b', key 'name': expected letters, digits, dots, dashes and underscores",
        ),
        ("profiles: [{name: no}]", "profile number 1, key 'name': expected a text, got false; YAML reads yes, no"),
        ('profiles: [{name: "a\\n"}]', "key 'name': expected letters, digits, dots"),
        ("profiles: [{name: a}, {name: a}]", "profile 'a', key 'name': stands twice"),
        ("profiles: [{name: a, 5: 6}]", "profile 'a': holds a key that is no text"),
        ("profiles: [", "file: is not usable YAML"),
        (
            "profiles: [{name: a, start_date: 2026-02-31}]",
            "file: is not usable YAML: line 1: day is out of range for month, got 2026-02-31",
        ),
        ("profiles:\n- name: a\n  start_date: 2026-13-01", "YAML: line 3: month must be in 1..12, got 2026-13-01;"),
        ("profiles: [{name: a}]\nprofiles: [{name: b}]", "file: is not usable YAML: key 'profiles' stands twice"),
        ("profiles: [{name: a, late_days: 1, late_days: 2}]", "file: is not usable YAML: key 'late_days' stands twice"),
        ("profiles:\n- name: a\n  settle_hours: 1:30\n", "expected a number in plain digits, got 1:30"),
        (
            "profiles:\n- name: a\n  settle_hours: 010\n",
            'expected a number in plain digits, got 010\n  in "<unicode string>", line 3',
        ),
        ("profiles:\n- name: a\n  late_days: 0x10\n", "expected a number in plain digits, got 0x10"),
        ("profiles:\n- name: a\n  amount_tolerance: 1:30.5\n", "expected a number in plain digits, got 1:30.5"),
        ("profiles: [{? [a] : b}]", "file: is not usable YAML: while constructing a mapping"),
    ],
)
def test_a_mistake_of_the_file_is_one_clear_error(write: Write, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_profiles(write(text))

    assert "profiles.yaml: " in str(caught.value)
    assert problem in str(caught.value)
    assert caught.value.__cause__ is None


def test_norway_stands_in_quotes(write: Write) -> None:
    assert one(write, 'country: "NO"').country == "NO"


def test_profiles_may_share_what_they_have_in_common(write: Write) -> None:
    """YAML's anchors and merge keys: a key that a profile has for itself wins, and is no repeated one."""
    text = "profiles:\n  - &common {name: fi, late_days: 9}\n  - {<<: *common, name: se}\n  - {<<: *common, name: dk}\n"

    assert [(each.name, each.late_days) for each in load_profiles(write(text))] == [("fi", 9), ("se", 9), ("dk", 9)]


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"profiles: \xff")

    with pytest.raises(ConfigurationError, match=r"missing\.yaml: file: cannot be read: No such file"):
        load_profiles(tmp_path / "missing.yaml")
    with pytest.raises(ConfigurationError, match=r"binary\.yaml: file: is not usable YAML"):
        load_profiles(binary)


@pytest.mark.parametrize(
    ("keys", "rechecked", "watched"),
    [
        ({}, 60, 60),
        ({"recheck_days": 5}, 7, 7),  # late_days are compared again in any case
        ({"recheck_days": 5, "late_days": 3}, 5, 7),
        ({"recheck_days": 5, "first_event_days": 10}, 26, 26),
        ({"recheck_days": 5, "first_event_days": 10, "grace_business_days": 3}, 30, 30),
    ],
)
def test_dates_are_compared_again_and_watched_for_as_long_as_anything_of_them_may_change(
    keys: Days, rechecked: int, watched: int
) -> None:
    profile = profiles.Profile(name="any", **keys)
    assert (profile.rechecked_days, profile.watched_days) == (rechecked, watched)


def test_no_date_before_start_date_is_compared_again() -> None:
    profile = profiles.Profile(name="any", recheck_days=60, start_date=datetime.date(2026, 3, 1))
    first = [profile.rechecked_from(datetime.date(2026, month, 10)) for month in (3, 6)]
    assert first == [datetime.date(2026, 3, 1), datetime.date(2026, 4, 11)]


def test_a_profile_that_starts_today_does_not_begin_ahead() -> None:
    profile = profiles.Profile(name="any", start_date=datetime.date(2026, 3, 10))
    midnight = datetime.datetime.fromisoformat("2026-03-09T22:00:00+00:00")
    assert [profile.begins_ahead(midnight - datetime.timedelta(seconds=1)), profile.begins_ahead(midnight)] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("moment", "timezone", "date"),
    [
        ("2026-03-28T21:59:59+00:00", "Europe/Helsinki", "2026-03-28"),
        ("2026-03-28T22:00:00+00:00", "Europe/Helsinki", "2026-03-29"),
        ("2026-03-29T21:00:00+00:00", "Europe/Helsinki", "2026-03-30"),
        ("2026-03-28T22:00:00+00:00", "Europe/Oslo", "2026-03-28"),
    ],
)
def test_a_business_date_is_the_markets(moment: str, timezone: str, date: str) -> None:
    profile = profiles.Profile(name="any", timezone=timezone)

    assert profile.business_date(datetime.datetime.fromisoformat(moment)) == datetime.date.fromisoformat(date)


@pytest.mark.parametrize(
    ("date", "timezone", "midnight", "hours"),
    [
        ("2026-03-10", "Europe/Helsinki", "2026-03-09T22:00", 24),
        ("2026-03-29", "Europe/Helsinki", "2026-03-28T22:00", 23),
        ("2026-10-25", "Europe/Helsinki", "2026-10-24T21:00", 25),
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00", 23),  # its clocks go from 23:59 to 01:00
        ("2026-11-01", "America/Havana", "2026-11-01T04:00", 25),  # and there midnight comes twice
    ],
)
def test_a_day_is_as_long_as_the_market_has_it(date: str, timezone: str, midnight: str, hours: int) -> None:
    profile = profiles.Profile(name="any", timezone=timezone, settle_hours=2)
    day, start = datetime.date.fromisoformat(date), datetime.datetime.fromisoformat(f"{midnight}+00:00")

    assert profile.midnight(day) == start
    assert profile.business_date(start - datetime.timedelta(microseconds=1)) < day == profile.business_date(start)
    assert profile.day_end(day) == start + datetime.timedelta(hours=hours)
    assert profile.settled_at(day) == start + datetime.timedelta(hours=hours + 2)


@pytest.mark.parametrize(
    ("date", "due"),
    [
        ("2026-03-28", "2026-03-29T04:00:00+00:00"),  # the night that loses an hour
        ("2026-10-24", "2026-10-25T05:00:00+00:00"),  # the night that has one more
        ("2026-10-05", "2026-10-06T04:00:00+00:00"),
    ],
)
def test_a_verdict_is_due_by_the_markets_wall_clock(date: str, due: str) -> None:
    assert profiles.Profile(name="any").verdict_due_at(datetime.date.fromisoformat(date)).isoformat() == due


@pytest.mark.parametrize(
    ("timezone", "due"),
    [
        ("Pacific/Auckland", "2026-10-06T04:00:00+00:00"),
        ("Asia/Tokyo", "2026-10-06T04:00:00+00:00"),
        ("Europe/London", "2026-10-06T06:00:00+00:00"),
        ("America/New_York", "2026-10-06T11:00:00+00:00"),
    ],
)
def test_east_of_the_schedule_no_verdict_is_due_before_its_run_has_had_the_time_that_it_has_at_home(
    timezone: str, due: str
) -> None:
    profile = profiles.Profile(name="any", timezone=timezone)
    begins = profiles.Profile(name="home", timezone=profiles.SCHEDULE_ZONE).day_end(datetime.date(2026, 10, 5))

    found = profile.verdict_due_at(datetime.date(2026, 10, 5))

    assert found.isoformat() == due
    assert found >= begins + datetime.timedelta(hours=profile.alerts.deadline_hour)


HOUR = datetime.timedelta(hours=1)


@pytest.mark.parametrize(("settle_hours", "due"), [(0, 7), (5, 7), (6, 7), (7, 8), (10, 11), (30, 31)])
def test_a_verdict_is_due_an_hour_after_its_date_is_settled_at_the_earliest(settle_hours: int, due: int) -> None:
    """The run goes on when it is settled: at that very second no date has its verdict."""
    profile = profiles.Profile(name="any", settle_hours=settle_hours)
    date = datetime.date(2026, 10, 5)

    assert profile.verdict_due_at(date) == profile.day_end(date) + due * HOUR


@pytest.mark.parametrize("timezone", ["Asia/Tokyo", "Europe/Helsinki", "America/New_York"])
def test_nor_is_it_due_as_soon_as_its_run_begins(timezone: str) -> None:
    """East of the schedule's zone the date is settled long before."""
    profile = profiles.Profile(name="any", timezone=timezone, settle_hours=0, alerts=Alerts(deadline_hour=0))
    date = datetime.date(2026, 10, 5)
    begins = profiles.Profile(name="home", timezone=profiles.SCHEDULE_ZONE).day_end(date)

    assert profile.verdict_due_at(date) == max(begins, profile.day_end(date)) + HOUR


def test_people_are_told_a_moment_as_the_markets_clocks_show_it() -> None:
    moment = datetime.datetime(2026, 10, 25, 1, 30, tzinfo=datetime.UTC)

    assert profiles.Profile(name="any").clock(moment) == "2026-10-25 03:30 EET"


def test_an_argument_of_a_notifier_is_not_shown_which_may_be_a_secret(write: Write) -> None:
    with pytest.raises(ConfigurationError, match=r"alerts\.arguments': expected a mapping of keys$"):
        load_profiles(write("profiles: [{name: a, alerts: {arguments: s3cret}}]"))
