"""The simulator's status codes and ERP words, read from its own status map so that they are said once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

STATUS_MAP_PATH = Path(__file__).with_name("status_map.yaml")

MESSAGE_CODE = "98"
PAID_CODE = "101"
# The type numbers of payment rows, which are their statustext.
PAYMENT_TYPE_NUMBER = "1"
DISCOUNT_TYPE_NUMBER = "8"
# A code that the simulator's map lacks on purpose: it causes `unknown_status`.
UNMAPPED_CODE = "777"


@dataclass(frozen=True)
class Codes:
    """What the simulated sides write for a meaning.

    :param stage_codes: stage of the life cycle → Ropo's status code.
    :param end_codes: end (credited, cancelled) → Ropo's status code.
    :param stage_words: stage → the ERP's status word.
    :param end_words: end → the ERP's status word.
    """

    stage_codes: dict[str, str]
    end_codes: dict[str, str]
    stage_words: dict[str, str]
    end_words: dict[str, str]


def _inverted(section: dict[str, dict[str, str]], part: str) -> dict[str, str]:
    return {meaning[part]: written for written, meaning in section.items() if part in meaning}


@cache
def simulated_codes() -> Codes:
    """Read the simulator's status map, turned around: from meanings to what each side writes."""
    status_map = yaml.safe_load(STATUS_MAP_PATH.read_text(encoding="utf-8"))
    comments, words = status_map["ropo"]["comments"], status_map["ledger"]
    return Codes(
        stage_codes=_inverted(comments, "stage"),
        end_codes=_inverted(comments, "end"),
        stage_words=_inverted(words, "stage"),
        end_words=_inverted(words, "end"),
    )
