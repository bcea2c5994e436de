"""Rows to events, column by column: what is asked of a thousand rows is asked of a few columns.

The rules of which row is an event stand here, those of a single value in :mod:`.fields`.
"""

from __future__ import annotations

import datetime
from operator import attrgetter
from typing import TYPE_CHECKING

from include.config.status_map import PAYMENT_TYPE
from include.status_store import fields
from include.status_store.content import made_up_statusids
from include.status_store.event import Events
from include.status_store.fields import FIELDS, LONGEST_ID, RowError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from include.status_store.decoding import Row

_PLAIN = "2015-11-13 09:59:20"
_HOUR = _PLAIN.index("09")


def to_events(
    rows: Sequence[bytes], decoded: Sequence[Row], zone: ZoneInfo, *, first: int, occurrences: dict[str, int]
) -> Events:
    """Return the events that rows are, all of them.

    :param rows: as they came; ``decoded``: the same, decoded.
    :param first: the first row's place in its answer.
    :param occurrences: how often each content without a ``statusid`` was in the answer before; counted on.
    :raises RowError: if a row is not an event; the reason is exact only if it is the only row.
    """
    columns = [_texts(field, list(map(attrgetter(field), decoded))) for field in FIELDS]
    jobids, statusids, billnums, kinds, times, refs, texts, codes, paydates, amounts = columns
    for field, ids in (("jobid", jobids), ("statusid", statusids), ("billnum", billnums)):
        if (longest := max(map(len, ids))) > LONGEST_ID:
            raise RowError(f"{field}: expected an id of at most {LONGEST_ID} characters, got {longest}")
    if any(not jobid and not billnum for jobid, billnum in zip(jobids, billnums, strict=True)):
        raise RowError("jobid and billnum: expected one of them, both are missing")
    if "" in kinds:
        raise RowError("statustype: expected a word such as payment or comment, it is missing")
    if any(kind.lower() == PAYMENT_TYPE and not amount for kind, amount in zip(kinds, amounts, strict=True)):
        raise RowError("amount: expected a number such as 96.72 on a payment, it is missing")
    wall_times = _times(times, zone)
    # Few days and amounts come many times.
    days = {value: fields.date(value, zone) for value in set(paydates)}
    numbers = {value: fields.amount(value) for value in set(amounts)}
    if "" in statusids:
        statusids = made_up_statusids(columns, occurrences)
    return Events([
        [*range(first, first + len(rows))],
        statusids,
        [each or None for each in jobids],
        [each or None for each in billnums],
        kinds,
        wall_times,
        codes,
        refs,
        texts,
        [days[each] for each in paydates],
        [numbers[each] for each in amounts],
        [*rows],
    ])  # fmt: skip


def _texts(field: str, column: Sequence[object]) -> list[str]:
    try:
        return list(map(str.strip, column))  # type: ignore[arg-type] # a TypeError where not all of them are str
    except TypeError:
        pass
    if set(map(type, column)) == {int}:
        return list(map(str, column))
    return [fields.text(field, value) for value in column]


def _times(times: list[str], zone: ZoneInfo) -> list[str]:
    """Return the times; those that come in the form in which they are kept stay as they are."""
    try:
        if _are_plain(times):
            return times
    except ValueError:
        pass  # which of them it is, is for its row to say
    return [fields.time(time, zone) for time in times]


def _are_plain(times: list[str]) -> bool:
    """Tell whether each is ``YYYY-MM-DD HH:MM:SS``.

    :raises ValueError: if one is no time.
    """
    if set(map(len, times)) != {len(_PLAIN)}:
        return False
    together = "".join(times)
    separators = ((place, sign) for place, sign in enumerate(_PLAIN) if not sign.isdigit())
    if any(together[place :: len(_PLAIN)] != sign * len(times) for place, sign in separators):
        return False
    # The end of a day, which is kept as the beginning of the next: newer versions of Python read it.
    if ("2", "4") in zip(together[_HOUR :: len(_PLAIN)], together[_HOUR + 1 :: len(_PLAIN)], strict=True):
        return False
    for time in times:
        # In this form there are digits and nothing else between the separators, or it is none.
        datetime.datetime.fromisoformat(time)
    return True
