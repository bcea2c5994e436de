"""Profiles: one Ropo customer number each, with its connection, market, time zone and ERP.

They come from ``include/config/profiles.yaml`` or the file that ``ROPO_PROFILES_FILE`` names. A mistake there is one
:class:`ConfigurationError` that names file, profile and key.
"""

from __future__ import annotations

import datetime
import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from include.config.alerts import Alerts
from include.config.business_dates import FIRST_DATE, LAST_DATE
from include.config.errors import ConfigurationError
from include.config.mistakes import located
from include.config.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPPED_PROFILES = Path(__file__).with_name("profiles.yaml")
SHIPPED_STATUS_MAP = Path(__file__).with_name("status_map.yaml")
SHIPPED_QUERY = Path(__file__).parents[1] / "erp" / "generic.sql"
FILE_VARIABLE = "ROPO_PROFILES_FILE"
# The scheduled run of a business date begins at the midnight that ends it here, for the profiles of every market.
SCHEDULE_ZONE = "Europe/Helsinki"
# How often a queue is drained, and looked for what must be told: the drain DAG's last task is the watch.
DRAIN_MINUTES = 15
# What a run has for its verdict, from when it may go on: before that none can be missing.
TIME_FOR_A_VERDICT = datetime.timedelta(hours=1)

Verdict = Literal["reconciled", "pending", "breaks", "incomplete"]
# Of a reconciliation: one business date, or all invoices that are not settled (parts.py).
Scope = Literal["date", "full"]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1)]
# As days, still within the calendar that PostgreSQL and Python share.
Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class Ledger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the ERP's ledger is read.

    :param connection: Airflow connection id, type postgres, read only.
    :param query: file of one SELECT that returns the contract's columns (see ``include/erp/generic.sql``).
    :param max_age_hours: the ledger is stale when its newest change is older; 0 does not check.
    """

    connection: Text = "erp_ledger"
    query: Path = SHIPPED_QUERY
    max_age_hours: Count = 0


class Severity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when a break is of medium and of high severity: either of amount and age suffices.

    Amounts are in the invoice's currency; ages are days from the business date.
    """

    medium_amount: Decimal = Decimal("100.00")
    high_amount: Decimal = Decimal("1000.00")
    medium_age_days: Count = 3
    high_age_days: Count = 10


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Ropo customer number (cid) and what is needed to reconcile it.

    Durations are in the unit that the key names; ``start_date`` and all business dates are calendar days in
    ``timezone``, the market's.
    """

    name: Name
    connection: Text = "ropo_one_default"
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")] = "FI"
    timezone: Text = "Europe/Helsinki"
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")] = "EUR"
    start_date: datetime.date = datetime.date(2026, 1, 1)
    late_days: Count = 7
    settle_hours: Count = 1
    grace_business_days: Count = 1
    recheck_days: Count = 60
    first_event_days: Count = 0
    amount_tolerance: Decimal = Decimal("0.00")
    second_opinions: Count = 50
    severity: Severity = Severity()
    break_cap: Annotated[int, msgspec.Meta(ge=1)] = 200
    page_retention_days: Count = 0
    text_retention_days: Count = 0
    date_cap: Annotated[int, msgspec.Meta(ge=1)] = 1000
    cut_date_invoices: Count = 100
    status_map: Path = SHIPPED_STATUS_MAP
    fail_on: tuple[Verdict, ...] = ("breaks", "incomplete")
    ledger: Ledger = Ledger()
    alerts: Alerts = Alerts()

    @property
    def zone(self) -> ZoneInfo:
        """The market's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def rechecked_days(self) -> int:
        """How far back dates are compared again, those that are not finished.

        An invoice that ought to have been spoken of after ``first_event_days`` has its grace before it still, over
        weekends and holidays.
        """
        overdue = self.first_event_days + 2 * self.grace_business_days + 14 if self.first_event_days else 0
        return max(self.recheck_days, self.late_days, overdue)

    @property
    def watched_days(self) -> int:
        """How far back dates without a verdict and red ones are told of: as far as any is compared again, and a week in
        any case.
        """
        return max(self.rechecked_days, 7)

    def rechecked_from(self, before: datetime.date) -> datetime.date:
        """Return the first business date that is compared again by itself in the run of ``before``."""
        return max(before - datetime.timedelta(days=self.rechecked_days), self.start_date)

    def business_date(self, moment: datetime.datetime) -> datetime.date:
        """Return the market's calendar day of an aware ``moment``."""
        return moment.astimezone(self.zone).date()

    def begins_ahead(self, moment: datetime.datetime) -> bool:
        """Tell whether ``start_date`` lies ahead of the market's today: no date is compared before it comes."""
        return self.start_date > self.business_date(moment)

    def midnight(self, date: datetime.date) -> datetime.datetime:
        """Return the first moment of a calendar day in the market, in UTC."""
        return _at(date, 0, self.zone)

    def day_end(self, date: datetime.date) -> datetime.datetime:
        """Return the midnight that ends a calendar day in the market, in UTC; a day may have 23 or 25 hours."""
        return self.midnight(date + datetime.timedelta(days=1))

    def settled_at(self, date: datetime.date) -> datetime.datetime:
        """Return when a business date may be re-read, in UTC: ``settle_hours`` after the midnight that ends it."""
        return self.day_end(date) + datetime.timedelta(hours=self.settle_hours)

    def verdict_due_at(self, date: datetime.date) -> datetime.datetime:
        """Return when a business date must have its verdict, in UTC: see :func:`verdict_due`."""
        return verdict_due(date, self.zone, hour=self.alerts.deadline_hour, settle_hours=self.settle_hours)

    def wall_clock(self, moment: datetime.datetime) -> datetime.datetime:
        """Return an aware moment as the clocks of the market show it, without a zone, as Ropo One gives its times."""
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def clock(self, moment: datetime.datetime) -> str:
        """Return an aware moment as the clocks of the market show it, for people."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"


def deadline(date: datetime.date, zone: ZoneInfo, hour: int) -> datetime.datetime:
    """Return the first moment, in UTC, at which ``hour`` of the day after ``date`` has come here and where runs begin.

    East of the schedule's zone the morning may come before the run has begun.

    :param zone: of the market, which is here.
    """
    day = date + datetime.timedelta(days=1)
    return max(_at(day, hour, each) for each in (zone, ZoneInfo(SCHEDULE_ZONE)))


def verdict_due(date: datetime.date, zone: ZoneInfo, *, hour: int, settle_hours: int) -> datetime.datetime:
    """Return when a business date must have its verdict, in UTC: at its :func:`deadline`.

    Where its run may go on later than :data:`TIME_FOR_A_VERDICT` before that, so long after it may.

    :param zone: of the market; ``hour``: its ``deadline_hour``.
    """
    settled = _at(date + datetime.timedelta(days=1), 0, zone) + datetime.timedelta(hours=settle_hours)
    goes_on = max(settled, deadline(date, zone, 0))
    return max(deadline(date, zone, hour), goes_on + TIME_FOR_A_VERDICT)


def _at(date: datetime.date, hour: int, zone: ZoneInfo) -> datetime.datetime:
    """Return an hour of a calendar day by the clocks of ``zone``, in UTC."""
    return datetime.datetime.combine(date, datetime.time(hour), zone).astimezone(datetime.UTC)


def profiles_file() -> Path:
    """Return the file that profiles are read from."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named).expanduser() if named else SHIPPED_PROFILES


def load_profiles(path: Path | None = None) -> tuple[Profile, ...]:
    """Read and check every profile.

    :param path: the YAML file; by default :func:`profiles_file`.
    :raises ConfigurationError: naming file, profile and key.
    """
    path = path or profiles_file()
    entries = _entries(path)
    base = path.resolve().parent

    # Most profiles name the same few files.
    @cache
    def absolute(file: Path) -> Path:
        return (base / file).resolve()

    profiles = tuple(_profile(path, position, entry, absolute) for position, entry in enumerate(entries, start=1))
    names = [profile.name for profile in profiles]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(path, f"profile '{name}', key 'name'", "stands twice; each profile needs its own")
    return profiles


def load_profile(name: str, path: Path | None = None) -> Profile:
    """Return the profile called ``name``.

    :raises ConfigurationError: if the file has none of that name.
    """
    path = path or profiles_file()
    profiles = load_profiles(path)
    for profile in profiles:
        if profile.name == name:
            return profile
    known = ", ".join(profile.name for profile in profiles)
    raise ConfigurationError(path, f"profile '{name}'", f"is not in the file (any more); the file has: {known}")


def _entries(path: Path) -> list[Any]:
    content = read_yaml(path)
    if not isinstance(content, dict) or set(content) != {"profiles"} or not isinstance(content["profiles"], list):
        raise ConfigurationError(path, "key 'profiles'", "expected this one key at the top, with a list of profiles")
    if not content["profiles"]:
        raise ConfigurationError(path, "key 'profiles'", "expected at least one profile, the list is empty")
    return content["profiles"]


def _profile(path: Path, position: int, entry: object, absolute: Callable[[Path], Path]) -> Profile:
    named = f"'{entry['name']}'" if isinstance(entry, dict) and entry.get("name") else f"number {position}"
    where = f"profile {named}"
    try:
        # `strict` keeps "7" from passing as a number; what YAML reads as a date stays one.
        profile = msgspec.convert(entry, Profile, dec_hook=_path, builtin_types=(datetime.date,))
    except msgspec.ValidationError as error:
        key, problem = located(entry, Profile, str(error))
        # msgspec's own traceback would say nothing more.
        raise ConfigurationError(path, f"{where}, key '{key}'" if key else where, problem) from None
    if profile.timezone not in _time_zones():
        problem = f"expected an IANA time zone such as Europe/Helsinki, got {profile.timezone!r}"
        raise ConfigurationError(path, f"{where}, key 'timezone'", problem)
    if not FIRST_DATE <= profile.start_date <= LAST_DATE:
        problem = f"expected a date from {FIRST_DATE} to {LAST_DATE}, got {profile.start_date}"
        raise ConfigurationError(path, f"{where}, key 'start_date'", problem)
    for key, amount in (
        ("amount_tolerance", profile.amount_tolerance),
        ("severity.medium_amount", profile.severity.medium_amount),
        ("severity.high_amount", profile.severity.high_amount),
    ):
        if not amount.is_finite() or amount < 0:
            raise ConfigurationError(path, f"{where}, key '{key}'", f"expected an amount of zero or more, got {amount}")
    for kind in ("amount", "age_days"):
        medium, high = (getattr(profile.severity, f"{level}_{kind}") for level in ("medium", "high"))
        if high < medium:
            problem = f"expected medium_{kind} ({medium}) or more, got {high}"
            raise ConfigurationError(path, f"{where}, key 'severity.high_{kind}'", problem)
    return _with_absolute_paths(path, where, profile, absolute)


@cache
def _time_zones() -> set[str]:
    """Return every zone: finding them reads hundreds of files, and each task and page loads the profiles."""
    return available_timezones()


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"Expected `str`, got `{type(value).__name__}`")


def _with_absolute_paths(path: Path, where: str, profile: Profile, absolute: Callable[[Path], Path]) -> Profile:
    status_map, query = absolute(profile.status_map), absolute(profile.ledger.query)
    for key, file in (("status_map", status_map), ("ledger.query", query)):
        if not file.is_file():
            raise ConfigurationError(path, f"{where}, key '{key}'", f"names {file}, which is not a file")
    return msgspec.structs.replace(
        profile, status_map=status_map, ledger=msgspec.structs.replace(profile.ledger, query=query)
    )
