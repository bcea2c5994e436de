"""Rows that differ from what is known of Ropo's, each in one way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.simulator.rows import Row


def _without(name: str) -> Callable[[Row], Any]:
    return lambda row: {field: value for field, value in row.items() if field != name}


def _with(**fields: Any) -> Callable[[Row], Any]:
    return lambda row: row | fields


# Unusual rows that still tell what they mean: a reader should take them.
TOLERABLE: dict[str, Callable[[Row], Any]] = {
    "extra_field": _with(channel="einvoice", priority=3),
    "nested_extra_field": _with(details={"sent": [{"by": "post"}, None, True]}),
    "statusid_missing": _without("statusid"),
    "numbers_for_strings": lambda row: row | {"billnum": 21979215, "statuscode": 98, "statustext": 5, "amount": ""},
    "nulls_for_blanks": _with(paydate=None, amount=None),
    "spaces_around": lambda row: row | {name: f"  {row[name]} " for name in ("jobid", "billnum", "statusid")},
}

# Rows that a reader cannot take as they are: whatever it does with one, the rest of the page must go on.
BROKEN: dict[str, Callable[[Row], Any]] = {
    "bad_amount": _with(statustype="payment", statustext="1", amount="12,3O", paydate="2026-03-02"),
    "not_a_number": _with(statustype="payment", statustext="1", amount="NaN", paydate="2026-03-02"),
    "bad_time": _with(statustime="2026-02-30 25:61:00"),
    "bad_paydate": _with(statustype="payment", statustext="1", amount="10.00", paydate="yesterday"),
    "statustime_missing": _without("statustime"),
    "billnum_and_jobid_missing": lambda row: {k: v for k, v in row.items() if k not in ("billnum", "jobid")},
    "not_an_object": lambda row: f"{row['statusid']};{row['billnum']}",
    "a_null": lambda _row: None,
    "a_list": lambda row: list(row.values()),
    "nested_value": _with(billnum={"number": "21979215"}),
    "nul_character": _with(statustext="Viesti\u0000loppu"),
    "lone_surrogate": _with(statustext="Viesti \ud83d katkesi"),
}

MALFORMED = TOLERABLE | BROKEN


def malformed_rows(variants: tuple[str, ...], like: Row) -> list[Any]:
    """One malformed row for each variant, with a `statusid` and `jobid` of its own.

    :param variants: names in :data:`MALFORMED`; none means all.
    :param like: a valid row to start from.
    """
    made = []
    for number, name in enumerate(variants or MALFORMED, start=9_000_001):
        own = {"statusid": f"C{number}", "jobid": number, "billnum": str(number)}
        made.append(MALFORMED[name](like | own))
    return made
