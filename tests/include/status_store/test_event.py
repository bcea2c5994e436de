"""Events held by columns are those that they were by rows."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from include.status_store.event import Event, Events
from include.status_store.parsing import parse_rows
from tests.include.status_store.scripted_source import row


@pytest.fixture
def events() -> Events:
    return parse_rows([json.dumps(row(number)).encode() for number in (1, 2, 3)], ZoneInfo("Europe/Helsinki")).events


def test_each_is_an_event_with_its_row_as_it_came(events: Events) -> None:
    assert [(event.ordinal, event.statusid) for event in events] == [(0, "P1"), (1, "P2"), (2, "P3")]
    assert [json.loads(bytes(event.raw)) for event in events] == [row(1), row(2), row(3)]
    assert events[1] == [*events][1]
    assert events[-1] == [*events][-1]


def test_some_are_picked_in_the_order_that_is_asked_for(events: Events) -> None:
    picked = events.pick([2, 0])

    assert (picked.statusids, len(picked)) == (["P3", "P1"], 2)
    assert [*picked] == [events[2], events[0]]
    assert [*events[1:]] == [events[1], events[2]]


def test_events_of_two_pages_are_added_up(events: Events) -> None:
    together = Events()
    assert not together

    together.extend(events.pick([0]))
    together.extend(events.pick([1, 2]))

    assert [*together] == [*events]
    assert all(isinstance(event, Event) for event in together)
