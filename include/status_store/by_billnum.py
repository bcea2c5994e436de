"""Questions by invoice number, one after the other, bounded in time: for single checks, never for many."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from include.status_store.queue_lock import PinnedElsewhereError
from include.status_store.reread import Reread
from include.status_store.source import PollError, PollRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from include.status_store.journal import Journal
    from include.status_store.reread import RereadSummary
    from include.status_store.session import Session
    from include.status_store.source import StatusSource

logger = logging.getLogger(__name__)

# What no answer came of is not worth a third try here: the breaks stay as they are, and the next run asks again.
ATTEMPTS = 2


class BillnumQuestions:
    """What Ropo One answers of single invoices; each is asked once, stored and journalled like any poll.

    :param session: of the asking itself, in no transaction.
    :param source: gives Ropo One, where there is something to ask.
    """

    def __init__(self, session: Session, source: Callable[[], StatusSource], journal: Journal) -> None:
        self._session = session
        self._source = source
        self._journal = journal
        self.answers: dict[str, RereadSummary] = {}
        self.refused: set[str] = set()

    def ask(self, billnums: Iterable[str], *, max_seconds: float) -> str | None:
        """Ask for the changes of each invoice, and stop where Ropo One fails or the time is over.

        :param max_seconds: after which no further question is begun.
        :return: why not all were asked, for people; None where all were (one that was refused, or is blank, counts as
            asked).
        """
        started = time.monotonic()
        for billnum in billnums:
            if billnum in self.answers or billnum in self.refused:
                continue
            if not billnum.strip():
                # Of blanks that no ledger's SELECT trims. To ask without a number would be to read the queue.
                self.refused.add(billnum)
                continue
            if time.monotonic() - started >= max_seconds:
                return f"the time for asking, {max_seconds:.0f} s, was over"
            try:
                self.answers[billnum] = self._ask(billnum)
            except PollRefusedError as error:
                if not error.is_of_what_was_asked:
                    return self._stopped(error)
                self.refused.add(billnum)
            except (PollError, PinnedElsewhereError) as error:
                return self._stopped(error)
        return None

    def _ask(self, billnum: str) -> RereadSummary:
        return Reread(self._session, self._source(), self._journal, attempts=ATTEMPTS).by_billnum(billnum)

    def _stopped(self, error: Exception) -> str:
        logger.warning("Profile %s: asking by invoice number stopped: %s", self._journal.profile.name, error)
        return str(error)
