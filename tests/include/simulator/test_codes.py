from __future__ import annotations

import yaml

from include.simulator.codes import MESSAGE_CODE, PAID_CODE, STATUS_MAP_PATH, UNMAPPED_CODE, simulated_codes
from include.simulator.texts import END_LABELS, STAGE_LABELS


def test_each_stage_and_end_has_a_code_and_a_word() -> None:
    codes = simulated_codes()
    assert codes.stage_codes.keys() == codes.stage_words.keys() == STAGE_LABELS.keys()
    assert codes.end_codes.keys() == codes.end_words.keys() == END_LABELS.keys()


def test_the_unmapped_code_is_not_in_the_map() -> None:
    comments = yaml.safe_load(STATUS_MAP_PATH.read_text())["ropo"]["comments"]
    assert UNMAPPED_CODE not in comments
    assert comments[MESSAGE_CODE] == {}
    assert comments[PAID_CODE] == {"payment": "paid"}
