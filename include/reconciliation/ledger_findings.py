"""What is to be said of a whole ledger before it is first compared: what keeps the contract, and what does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from include.config.wording import counted, grouped, worded
from include.reconciliation.ledger import bare_number
from include.reconciliation.ledger_contract import COLUMNS
from include.reconciliation.statements import statement
from include.status_store.fields import LONGEST_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.config.status_map import StatusMap
    from include.reconciliation.ledger import LedgerReader

Level = Literal["ok", "note", "WRONG"]
# More would help nobody.
SHOWN = 5
_WORD_LENGTH = 60

# Subject in check_ledger.sql to what is wrong with a row, and with several; each of them is a violation.
_HAS = ("has", "have")
_IS_SENT = ("was sent", "were sent")
_WRONG = {
    "no_billnum": (_HAS, "no billnum: it is null or blank"),
    "no_status": (_HAS, "no status: it is null or blank"),
    "no_total": (_HAS, "no total"),
    "no_paid": (_HAS, "no paid"),
    "no_amount": (_HAS, "an amount that is not a number: NaN or infinite"),
    "too_long": (_HAS, f"a billnum, jobid or status of more than {LONGEST_ID} characters"),
    "no_currency": (_HAS, "a currency that is no ISO 4217 code of three capital letters"),
    "future": (_IS_SENT, "or changed in the future, which may be the column's time zone"),
    "long_ago": (_IS_SENT, "before 2000, which is out of scope: sent_at is null until an invoice is sent"),
    "blanks": (_HAS, "blanks other than spaces around billnum, jobid or status, by which none is found: trim them"),
    "off": (("does", "do"), "not add up: total is not paid + discount + credited + open"),
    "paid_but_open": (_HAS, "a status that the map calls paid, and something open"),
    "jobid_twice": (("shares its", "share their"), "jobid with another row"),
    "billnum_twice": (_HAS, "no jobid and the billnum of another such row"),
}
_NAMED_BY_JOBID = ("no_billnum", "jobid_twice")


class Finding(msgspec.Struct, frozen=True):
    """One thing that is to be said of a ledger.

    :param level: ``WRONG`` is a violation of the contract.
    :param subject: what it is about, in a word or two.
    :param text: one line, or several where something is to be pasted.
    """

    level: Level
    subject: str
    text: str


def known_invoices(store: Connection, profile: Profile, sample: int) -> list[tuple[str | None, str | None]]:
    """Return jobid and billnum of so many invoices at most that Ropo spoke of last.

    :param store: a session of the store.
    """
    with store.cursor() as cursor:
        cursor.execute(statement("known_invoices"), {"profile": profile.name, "sample": sample})
        return cursor.fetchall()


def findings(
    ledger: LedgerReader, status_map: StatusMap, known: Sequence[tuple[str | None, str | None]] | None
) -> Iterator[Finding]:
    """Check every row of a ledger, in one pass in its own database.

    :param ledger: its columns and types are checked by then.
    :param known: invoices that Ropo spoke of; None: there is no store to ask.
    """
    words = {word: meaning.payment == "paid" for word, meaning in status_map.ledger.items()}
    parameters = {
        "words": list(words),
        "pays": list(words.values()),
        "jobids": [jobid for jobid, _ in known or ()],
        "billnums": [billnum for _, billnum in known or ()],
        "longest": LONGEST_ID,
    }
    rows = ledger.over_all_rows(statement("check_ledger"), parameters)
    counts = {subject: (count, example) for subject, count, example in rows if subject not in ("missing", "unmapped")}
    yield Finding("ok", "columns", f"all {len(COLUMNS)} are there, in types that the contract takes")
    if not counts["rows"][0]:
        yield Finding("WRONG", "rows", "the SELECT returns nothing: every verdict would be incomplete")
        return
    yield from _of_rows(counts)
    yield from _of_words([(word, count) for subject, count, word in rows if subject == "unmapped"], len(words))
    if known is not None:
        missing = [key for subject, _, key in rows if subject == "missing"]
        yield from _of_sample(ledger, known, counts, missing)


def _of_rows(counts: dict[str, tuple[int, Any]]) -> Iterator[Finding]:
    rows, newest_change = counts["rows"]
    yield Finding(
        "ok", "rows", f"{grouped(rows)}, of which {grouped(counts['sent'][0])} were sent; newest change {newest_change}"
    )
    for subject, (verbs, what) in _WRONG.items():
        count, example = counts[subject]
        if count:
            key = "jobid" if subject in _NAMED_BY_JOBID else "invoice"
            such = f", such as {key} {_shown(example)}" if example else ""
            text = f"{counted(count, 'row')} {worded(count, *verbs)} {what}{such}"
            yield Finding("WRONG", subject.replace("_", " "), text)
    for subject, text in (
        ("with_jobid", "no row has a jobid: invoices are found by their number alone"),
        (
            "with_change",
            "no row has a changed_at: its changes are seen on the dates of Ropo's events, and by a full run",
        ),
        ("sent", "no row has a sent_at: what Ropo never spoke of is seen by a full run only"),
    ):
        if not counts[subject][0]:
            yield Finding("note", subject.replace("_", " "), text)
    if counts["without_discount"][0] == rows:
        yield Finding("note", "discount", "no row has a discount: Ropo's discounts are not compared")


def _of_words(unmapped: list[tuple[str, int]], mapped: int) -> Iterator[Finding]:
    if not unmapped:
        yield Finding("ok", "status", f"every word is among the {mapped} of the status map")
        return
    # Commented out, as in the list of Ropo's codes: a word is in the map only when somebody has said what it means.
    lines = [
        f"    # {json.dumps(_shown(word), ensure_ascii=False)}: {{}}    # {counted(count, 'row')}"
        for word, count in unmapped
    ]
    text = "\n".join(
        [
            f"{counted(len(unmapped), 'word is', 'words are')} not in the status map; say there what they mean:",
            "ledger:",
            *lines,
        ]
    )
    yield Finding("WRONG", "status", text)


def _of_sample(
    ledger: LedgerReader,
    known: Sequence[tuple[str | None, str | None]],
    counts: dict[str, tuple[int, Any]],
    missing: Sequence[str],
) -> Iterator[Finding]:
    if not known:
        yield Finding("note", "sample", "the store holds no event of this profile yet: nothing to look for")
        return
    by_jobid, by_billnum = counts["known_by_jobid"][0], counts["known_by_billnum"][0]
    found = (
        f"of {counted(len(known), 'invoice')} that Ropo spoke of last, {grouped(by_jobid)} found by jobid "
        f"and {grouped(by_billnum)} more by invoice number"
    )
    if not missing:
        yield Finding("ok", "sample", found)
    else:
        near = _near(ledger, missing[:SHOWN])
        names = ", ".join(f"{key} ({near[key]})" if key in near else key for key in missing[:SHOWN])
        text = f"{found}; not found: {grouped(len(missing))}, such as {names}"
        # All of them is a matter of the SELECT; some may be of the ledger, and are what the comparison is for.
        yield Finding("WRONG" if len(missing) == len(known) else "note", "sample", text)
    others, example = counts["other_billnum"]
    if others:
        have = worded(others, "has", "have")
        text = f"{grouped(others)} of them {have} another invoice number in the ledger, such as that of jobid {example}"
        yield Finding("note", "sample", text)


def _near(ledger: LedgerReader, missing: Sequence[str]) -> dict[str, str]:
    """The ledger's numbers that differ by a prefix or by leading zeros only."""
    near = dict(ledger.near_misses(missing))
    return {key: f"the ledger has {near[bare_number(key)]}" for key in missing if bare_number(key) in near}


def _shown(text: str) -> str:
    return " ".join(text.split())[:_WORD_LENGTH]
