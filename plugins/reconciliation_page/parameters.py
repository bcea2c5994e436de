"""Parameters of addresses and forms that several pages take; what is none of these is refused with its name."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from fastapi import Path, Query

Category = Literal[
    "unparseable",
    "duplicate_in_ledger",
    "ambiguous_match",
    "missing_in_ledger",
    "missing_in_ropo",
    "unknown_status",
    "ledger_inconsistent",
    "status_conflict",
    "ledger_behind",
    "ledger_ahead",
    "amount_mismatch",
]
Severity = Literal["low", "medium", "high"]

EARLIEST, LATEST = datetime.date(2000, 1, 1), datetime.date(2100, 1, 1)
_LARGEST_ID = 2**63 - 1

DateInPath = Annotated[datetime.date, Path(ge=EARLIEST, le=LATEST)]
DateInQuery = Annotated[datetime.date | None, Query(ge=EARLIEST, le=LATEST)]
IdInQuery = Annotated[int | None, Query(ge=1, le=_LARGEST_ID)]
IdInPath = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
# An empty choice of a form is no choice.
Chosen = Literal[""]
CategoryInQuery = Annotated[Category | Chosen, Query()]
SeverityInQuery = Annotated[Severity | Chosen, Query()]
Text = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
Place = Annotated[str, Query(max_length=600)]
Direction = Annotated[Literal["asc", "desc", ""], Query()]
