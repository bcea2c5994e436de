"""Codes that the status map lacks: ``python -m include.reconciliation.unmapped [--profile NAME]``.

They are printed in the form in which they stand in the map, for whoever fills it in, with the label (statusref) of the
newest row. It is the only text of a row that is ever shown outside the page, and is never logged: nothing erases a log.
What is no code by its form is not shown: texts of rows are personal data.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from include.config.status_map import COMMENT_TYPE, PAYMENT_TYPE, is_type_number, load_status_map
from include.config.wording import counted
from include.reconciliation.statements import statement
from include.status_store.command_line import add_profile, profiles, run_command, say

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.config.status_map import StatusMap
    from include.status_store.session import Session

HIDDEN = "(a text, not shown)"
_LABEL_LENGTH = 60
# A row may have none.
_CODE = re.compile(r"[A-Za-z0-9_.-]{0,20}")


class UnmappedCode(msgspec.Struct, frozen=True):
    """A code that the status map lacks.

    :param statustype: type of its rows, in small letters.
    :param code: a payment's type number (statustext), else the statuscode.
    :param label: Ropo's own word for it (statusref), of the newest row.
    :param count: rows with it.
    """

    statustype: str
    code: str
    label: str
    count: int


def shown_code(statustype: str, code: str) -> str:
    """Return a code as anybody may see it: what has not the form of one may be a text, and says so.

    A payment's is a field of free text, of which only a number is a code.
    """
    is_code = is_type_number(code) if statustype == PAYMENT_TYPE else _CODE.fullmatch(code)
    return code if is_code else HIDDEN


def shown_label(label: str) -> str:
    """Return a label (statusref) on one line, cut to a length that no more than a label needs."""
    return " ".join(label.split())[:_LABEL_LENGTH]


def unmapped_of_population(cursor: Cursor, profile: Profile) -> Mapping[datetime.date, list[UnmappedCode]]:
    """Return the unmapped codes of each part of the comparison in the session, by its business date."""
    cursor.execute(statement("unmapped_found"), {"profile": profile.name})
    by_date: dict[datetime.date, list[UnmappedCode]] = defaultdict(list)
    for day, *row in cursor.fetchall():
        by_date[day].extend(_codes([tuple(row)]))
    return by_date


def unmapped_of_profile(cursor: Cursor, profile: Profile, status_map: StatusMap) -> list[UnmappedCode]:
    """Return the unmapped codes of all of a profile's events."""
    known = {(PAYMENT_TYPE, code) for code in status_map.payments}
    known |= {(kind.lower(), code) for kind, meanings in status_map.events.items() for code in meanings}
    cursor.execute(statement("unmapped_scan"), {"profile": profile.name})
    return list(_codes(row for row in cursor.fetchall() if (row[0], row[1]) not in known))


def as_map(codes: Sequence[UnmappedCode]) -> Iterator[str]:
    """Yield lines of YAML for the section ``ropo`` of the status map; what the codes mean is left to the reader."""
    sections = {PAYMENT_TYPE: "  payments:", COMMENT_TYPE: "  comments:"}
    yield "ropo:"
    for statustype, heading in sections.items():
        yield from _section(heading, "    ", "ignore" if statustype == PAYMENT_TYPE else "{}", codes, statustype)
    others = sorted({code.statustype for code in codes} - set(sections))
    if others:
        yield "  others:"
    for statustype in others:
        yield from _section(f"    {json.dumps(statustype, ensure_ascii=False)}:", "      ", "{}", codes, statustype)


def _section(heading: str, indent: str, value: str, codes: Sequence[UnmappedCode], statustype: str) -> Iterator[str]:
    of_type = [code for code in codes if code.statustype == statustype]
    if of_type:
        yield heading
    for code in of_type:
        # Commented out: a code is in the map only when somebody has said what it means.
        quoted = json.dumps(code.code, ensure_ascii=False)
        yield f"{indent}# {quoted}: {value}    # {code.label}, seen {counted(code.count, 'time')}"


def _codes(rows: Iterable[tuple[str, str, str, int]]) -> Iterator[UnmappedCode]:
    for statustype, code, label, count in rows:
        yield UnmappedCode(statustype, shown_code(statustype, code), shown_label(label), count)


def main(arguments: Sequence[str] | None = None) -> int:
    """List the unmapped codes of every profile, or of one; an error goes to standard error with exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m include.reconciliation.unmapped", description=__doc__)
    add_profile(parser)
    parser.set_defaults(command=_list)
    return run_command(parser.parse_args(arguments))


def _list(session: Session, options: argparse.Namespace) -> None:
    for profile in profiles(options):
        status_map = load_status_map(profile.status_map)
        with session.transaction() as cursor:
            codes = unmapped_of_profile(cursor, profile, status_map)
        say(f"# Profile {profile.name}: {counted(len(codes), 'code is', 'codes are')} not in {profile.status_map}")
        for line in as_map(codes) if codes else ():
            say(line)


if __name__ == "__main__":
    sys.exit(main())
