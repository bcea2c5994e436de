"""A second opinion: breaks are asked about again, by invoice number, before they are recorded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from include.reconciliation.inquiry import MAX_SECONDS
from include.reconciliation.statements import statement
from include.status_store.rows import only_row

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.by_billnum import BillnumQuestions

logger = logging.getLogger(__name__)

# Of a part. An invoice number may stand for several invoices: all of them must match.
_OPINIONS = """
SELECT count(*), count(*) FILTER (WHERE billnum = ANY(%(telling)s) AND is_matched)
FROM (
    SELECT billnum, bool_and(category = 'matched') AS is_matched
    FROM comparison
    JOIN part USING (invoice_key)
    WHERE billnum = ANY(%(answered)s) AND part.business_date = %(business_date)s
    GROUP BY billnum
) AS asked
"""


class SecondOpinion:
    """Asks about a run's dearest breaks, as many as the profile's ``second_opinions``.

    What comes is stored like any event. Where Ropo One fails, the breaks that were not asked about stay as they are,
    and the reconciliation says so.

    :param limit: of this comparison, where the run has asked already; by default the profile's.
    """

    def __init__(self, questions: BillnumQuestions, profile: Profile, *, limit: int | None = None) -> None:
        self._questions = questions
        self._profile = profile
        self._limit = profile.second_opinions if limit is None else limit
        self._billnums: list[str] = []
        self._stopped: str | None = None

    def pick(self, cursor: Cursor, rereads: Mapping[datetime.date, int | None]) -> bool:  # noqa: ARG002 - the protocol's
        """Pick the breaks to ask about; see ``pick_doubted.sql`` for those that are not."""
        self._billnums = []
        if self._limit > 0:
            cursor.execute(statement("pick_doubted"), {"profile": self._profile.name, "limit": self._limit})
            self._billnums = [billnum for (billnum,) in cursor.fetchall()]
        return bool(self._billnums)

    def ask(self) -> None:
        """Ask about each."""
        if self._billnums:
            logger.info("Profile %s: asking about %d breaks again", self._profile.name, len(self._billnums))
            self._stopped = self._questions.ask(self._billnums, max_seconds=MAX_SECONDS)

    def columns(self, cursor: Cursor, day: datetime.date) -> dict[str, object]:
        """Return how many breaks were asked about, how many what that brought has cleared, and why not more."""
        answers = self._questions.answers
        answered = [billnum for billnum in self._billnums if billnum in answers]
        telling = [billnum for billnum in answered if answers[billnum].new or answers[billnum].revised]
        cursor.execute(_OPINIONS, {"answered": answered, "telling": telling, "business_date": day})
        asked, cleared = only_row(cursor)
        return {
            "second_opinions_asked": asked,
            "second_opinions_cleared": cleared,
            "second_opinions_note": self._note(len(answered)),
        }

    def _note(self, answered: int) -> str | None:
        why = self._stopped or ("Ropo One refuses the other numbers" if answered < len(self._billnums) else None)
        return f"{answered} of {len(self._billnums)} breaks were asked about: {why}" if why else None
