"""Parameters of addresses and forms that several pages take; what is none of these is refused with its name."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from fastapi import Form, Path, Query
from pydantic import AfterValidator, BeforeValidator, Field

from include.config.business_dates import FIRST_DATE, LAST_DATE
from include.reconciliation.break_listing import Severity
from include.reconciliation.categories import CATEGORIES, MATCHED
from include.reconciliation.sign_off_conditions import parse_period
from include.status_store.database import LARGEST_ID

# As many as the forms let one write.
NOTE_LENGTH = 2_000


def _difference(text: str) -> str:
    """Check that a text is a category of differences, or that none is chosen."""
    if text and (text not in CATEGORIES or text == MATCHED):
        raise ValueError("expected a category of differences, such as missing_in_ledger")
    return text


def _month(text: str) -> str:
    try:
        found = parse_period(text)
    except ValueError:
        found = None
    if found is None or not is_shown_month(found):
        raise ValueError(f"expected a month as YYYY-MM, from {FIRST_DATE:%Y-%m} to {LAST_DATE:%Y-%m}")
    return f"{found:%Y-%m}"


def _searchable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("it holds a character that cannot be searched for")
    return text


def with_plain_line_ends(text: str) -> str:
    """Undo what browsers do to a form's line breaks: they count one character of its limit, and are sent as two."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


DateInPath = Annotated[datetime.date, Path(ge=FIRST_DATE, le=LAST_DATE)]
DateInQuery = Annotated[datetime.date | None, Query(ge=FIRST_DATE, le=LAST_DATE)]
IdInQuery = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
IdInPath = Annotated[int, Path(ge=1, le=LARGEST_ID)]
# An id, 0 where there is none; or a count.
NumberInQuery = Annotated[int, Query(ge=0, le=LARGEST_ID)]
# A month is passed on as YYYY-MM.
Month = Annotated[str, AfterValidator(_month)]
MonthInPath = Annotated[Month, Path()]
MonthInForm = Annotated[Month, Form()]
MonthInQuery = Annotated[Month | None, Query()]
# An empty choice of a form is no choice.
CategoryInQuery = Annotated[str, AfterValidator(_difference), Query()]
DateOrNone = Annotated[
    Annotated[datetime.date, Field(ge=FIRST_DATE, le=LAST_DATE)] | None,
    BeforeValidator(lambda text: text or None),
    Query(),
]
SeverityInQuery = Annotated[Literal[Severity, ""], Query()]
Text = Annotated[str, AfterValidator(_searchable), Query(max_length=100)]
Place = Annotated[str, Query(max_length=600)]
DecimalInQuery = Annotated[Literal["point", "comma"], Query()]
Direction = Annotated[Literal["asc", "desc", ""], Query()]
# What is wrong with a note is for :func:`note_problem`, so that the page can tell it and keep what was written.
Note = Annotated[str, AfterValidator(with_plain_line_ends), Form()]


@dataclass(frozen=True)
class InAddress:
    """What of a list is shown, as it stands in the address."""

    def parameters(self, **changed: Any) -> dict[str, Any]:
        """Return it for an address, with some changed; what is as by default is left out."""
        given = {each.name: getattr(self, each.name) for each in fields(self)} | changed
        return {name: value for name, value in given.items() if value != getattr(type(self), name)}


def is_shown_month(period: datetime.date) -> bool:
    """Tell whether the page has the month of a date."""
    return FIRST_DATE <= period <= LAST_DATE


def note_problem(note: str, *, may_be_empty: bool = False) -> str:
    """Return what keeps a note from being kept, as a sentence for who wrote it; empty where nothing does."""
    if not may_be_empty and not note.strip():
        return "Write a note: it says later why this was decided."
    if "\x00" in note:
        return "The note holds a character that cannot be kept, shown as \ufffd or not at all. Take it out."
    if len(note) > NOTE_LENGTH:
        return f"The note has {len(note)} characters, and {NOTE_LENGTH} are the most. Shorten it."
    return ""
