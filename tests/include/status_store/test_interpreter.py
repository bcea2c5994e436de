"""Python's settings of a drain are its own: they end with it, whatever ends it."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from include.status_store.interpreter import tuned
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import drain

if TYPE_CHECKING:
    import datetime

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from include.status_store.source import Answer


class _Looking(ScriptedSource):
    """Notes at each poll how many objects are set aside, and how long a thread's turn is."""

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        self.seen = (gc.get_freeze_count() > 0, sys.getswitchinterval())
        return super().poll(date=date, billnum=billnum)


def test_they_hold_while_a_drain_polls_and_no_longer(session: Session, profile: Profile) -> None:
    usual = sys.getswitchinterval()
    source = _Looking(page(row(1)))

    drain(session, profile, source)

    assert source.seen[0]
    assert source.seen[1] < usual
    assert (gc.get_freeze_count(), sys.getswitchinterval()) == (0, usual)


def test_they_end_with_an_error_too() -> None:
    usual = sys.getswitchinterval()
    with pytest.raises(RuntimeError), tuned():
        raise RuntimeError
    assert (gc.get_freeze_count(), sys.getswitchinterval()) == (0, usual)


def test_they_hold_for_one_while_another_ends() -> None:
    usual = sys.getswitchinterval()
    with tuned():
        with tuned():
            pass
        assert gc.get_freeze_count() > 0
        assert sys.getswitchinterval() < usual
    assert (gc.get_freeze_count(), sys.getswitchinterval()) == (0, usual)


def test_what_somebody_else_has_set_aside_stays_so() -> None:
    gc.freeze()
    try:
        with tuned():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_what_is_made_meanwhile_is_still_looked_through_for_garbage() -> None:
    with tuned():
        ring: list[object] = []
        ring.append(ring)
        del ring
        assert gc.collect() > 0
