"""Ropo One as a comparison asks it: a source that knows some rows, and what a comparison may ask of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from include.reconciliation.cut_answer import CutAnswer
from include.reconciliation.inquiry import Inquiries
from include.reconciliation.second_opinion import SecondOpinion
from include.status_store.by_billnum import BillnumQuestions
from include.status_store.database import connect
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.session import Session
from tests.include.status_store.scripted_source import EMPTY, page

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from include.status_store.source import Answer
    from tests.include.reconciliation.world import World


def payment(billnum: str, amount: str, when: str = "2026-03-10", **changes: object) -> dict[str, Any]:
    """A payment as Ropo One sends it, of the invoice's job as :class:`World` names it."""
    return {
        "jobid": f"J{billnum}",
        "statusid": f"P9{billnum}",
        "billnum": billnum,
        "statustype": "payment",
        "statustime": f"{when} 00:00:00",
        "statusref": "Maksettu",
        "statustext": "1",
        "statuscode": "",
        "paydate": when,
        "amount": amount,
        **changes,
    }


class KnowingSource:
    """Answers every poll by what it knows.

    :param failing: invoice numbers, each with what its poll ends in.
    :ivar asked: invoice numbers, in the order of the polls.
    """

    queue = ("ropo.example", "1000011")

    def __init__(self, *rows: dict[str, object], failing: dict[str, BaseException] | None = None) -> None:
        self.rows = list(rows)
        self.failing = failing or {}
        self.asked: list[str] = []

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        """Answer a poll by date or by number."""
        if billnum is not None:
            self.asked.append(billnum)
            if billnum in self.failing:
                raise self.failing[billnum]
        found = [
            row
            for row in self.rows
            if row["billnum"] == billnum or (date is not None and str(row["statustime"]).startswith(str(date)))
        ]
        return page(*found) if found else EMPTY


@contextmanager
def asking(world: World, source: KnowingSource, **options: Any) -> Iterator[Inquiries]:
    """What a comparison of a world may ask."""
    profile = options.pop("profile", world.profile)
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        questions = BillnumQuestions(session, lambda: source, Journal(profile))
        cut = CutAnswer(questions, session, profile)
        yield Inquiries((cut, SecondOpinion(questions, profile, **options)))


def reread(world: World, date: datetime.date, *rows: dict[str, object]) -> int:
    """Re-read a date, of which Ropo One shows some rows; return the poll's id."""
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        poll_id = Reread(session, KnowingSource(*rows), Journal(world.profile)).by_date(date).poll_id
    assert poll_id is not None
    return poll_id
