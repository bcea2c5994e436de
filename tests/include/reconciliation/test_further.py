"""What a difference rests on besides is told in words."""

from __future__ import annotations

import pytest

from include.reconciliation.further import further_in_words


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        (None, None),
        ("open, total 20, paid 0", "open, total 20, paid 0"),
        ("1 rows with codes not in the map (c1b13df7), 0 in all", "1 row with a code not in the status map"),
        (
            "3 rows with codes not in the map (00b13df7), -5.5 in all",
            "3 rows with codes not in the status map, -5.5 in all",
        ),
        (
            "open; 1 rows with codes not in the map (c1b1), 0 in all",
            "open; 1 row with a code not in the status map",
        ),
    ],
)
def test_unmapped_codes_are_counted_and_other_rows_stay_as_they_are(recorded: str | None, told: str | None) -> None:
    assert further_in_words(recorded) == told
