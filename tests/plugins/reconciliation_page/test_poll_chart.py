"""A day's polls are a bar whose pieces stand on one another, each as tall as its outcome's share."""

from __future__ import annotations

import datetime

from include.page_data.polls import OUTCOMES, PollDay
from reconciliation_page.poll_chart import Piece, PollChart, draw


def drawn(*polls: dict[str, int]) -> PollChart:
    first = datetime.date(2026, 3, 1)
    return draw(
        [PollDay(date=first.replace(day=1 + place), polls=each, new_count=0) for place, each in enumerate(polls)]
    )


def test_each_day_stands_beside_the_one_before_and_is_as_tall_as_its_part_of_the_most() -> None:
    chart = drawn({"landed": 10, "in_doubt": 1}, {}, {"empty": 22})
    assert [(bar.left, bar.top, bar.pieces) for bar in chart.bars] == [
        (0, 87.0, (Piece("landed", 95.2, 54.8), Piece("in_doubt", 87.0, 8.2))),
        (40, 150.0, ()),
        (80, 33.0, (Piece("empty", 33.0, 117.0),)),
    ]
    assert (chart.width, chart.height, chart.bar_width) == (120, 172, 32)


def test_the_totals_are_of_all_days_and_of_the_outcomes_there_are() -> None:
    assert drawn({"in_doubt": 1}, {"landed": 2, "empty": 3}, {"landed": 4}).totals == {
        "landed": 6, "empty": 3, "in_doubt": 1,
    }  # fmt: skip


def test_a_single_poll_among_very_many_is_seen_and_the_tallest_bar_leaves_room_for_its_mark() -> None:
    (bar,) = drawn({**dict.fromkeys(OUTCOMES, 1), "landed": 1_000_000}).bars
    assert [piece.tall for piece in bar.pieces[1:]] == [3.0] * (len(OUTCOMES) - 1)
    assert bar.top == 18.0


def test_days_without_a_poll_are_no_bars() -> None:
    chart = drawn({}, {})
    assert ([bar.pieces for bar in chart.bars], chart.totals) == ([(), ()], {})
