"""Lists as CSV files, sent while they are read."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from fastapi.responses import StreamingResponse

from include.reconciliation.export import COMMA, POINT
from reconciliation_page.stores import open_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg2.extensions import connection as Connection

DIALECTS = {"point": POINT, "comma": COMMA}


def download(export: Callable[[Connection], Iterator[str]], name: str, decimal: str) -> StreamingResponse:
    """Return the answer that sends CSV text as a file.

    :param export: returns the text piece by piece, read by the connection that it is given.
    :param name: of the file, without its end; ``decimal``: of :data:`DIALECTS`, and named beside where it is no point.
    """
    pieces = _read(export)
    suffix = "" if decimal == "point" else f"-{decimal}"
    # The mark of its encoding and the first lines are fetched before the answer begins: a store that is lost by then is
    # an error page, and not a file that ends without a word.
    begun = list(islice(pieces, 2))
    return StreamingResponse(
        chain(begun, pieces),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}{suffix}.csv"'},
    )


def _read(export: Callable[[Connection], Iterator[str]]) -> Iterator[str]:
    connection = open_reading()
    try:
        yield from export(connection)
    finally:
        connection.close()
