"""The status map: what is in it is checked, and its codes stay text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from include.config.errors import ConfigurationError
from include.config.profiles import SHIPPED_STATUS_MAP
from include.config.status_map import Meaning, load_status_map

if TYPE_CHECKING:
    from pathlib import Path


def test_the_shipped_map_holds_only_what_is_known_of_ropo() -> None:
    shipped = load_status_map(SHIPPED_STATUS_MAP)
    assert shipped.payments == {"1": "paid", "8": "discount"}
    assert shipped.events == {"comment": {"98": Meaning(), "101": Meaning(payment="paid")}}


def test_codes_are_text_with_and_without_quotes(tmp_path: Path) -> None:
    path = _map(tmp_path, "ropo: {payments: {1: paid, 010: ignore}, comments: {101: {payment: paid}, no: {}}}")
    loaded = load_status_map(path)
    assert loaded.payments == {"1": "paid", "010": "ignore"}
    assert set(loaded.events["comment"]) == {"101", "no"}


def test_other_types_of_rows_have_a_section_each(tmp_path: Path) -> None:
    loaded = load_status_map(_map(tmp_path, "ropo: {others: {Reminder: {5: {stage: reminded}}}}"))
    assert loaded.events["reminder"] == {"5": Meaning(stage="reminded")}


def test_the_version_follows_the_content_and_not_the_layout(tmp_path: Path) -> None:
    first = load_status_map(_map(tmp_path, 'ropo: {payments: {"1": paid, "8": discount}}'))
    same = load_status_map(_map(tmp_path, "# told anew\nropo:\n  payments:\n    8: discount\n    1: paid\nledger:\n"))
    assert first.version == same.version
    assert re.fullmatch(r"[0-9a-f]{12}", first.version)


def test_what_any_section_says_is_of_the_version(tmp_path: Path) -> None:
    maps = (
        "ropo: {payments: {1: paid}, comments: {5: {}}, others: {letter: {5: {}}}}\nledger: {due: {}}",
        "ropo: {payments: {1: ignore}, comments: {5: {}}, others: {letter: {5: {}}}}\nledger: {due: {}}",
        "ropo: {payments: {1: paid}, comments: {5: {stage: due}}, others: {letter: {5: {}}}}\nledger: {due: {}}",
        "ropo: {payments: {1: paid}, comments: {5: {}}, others: {letter: {5: {stage: due}}}}\nledger: {due: {}}",
        "ropo: {payments: {1: paid}, comments: {5: {}}, others: {letter: {5: {}}}}\nledger: {due: {stage: due}}",
    )
    assert len({load_status_map(_map(tmp_path, text)).version for text in maps}) == len(maps)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("ropo: {payments: {1: money}}", "ropo.payments.1"),
        ("ropo: {comments: {101: {payment: payed}}}", "ropo.comments.101"),
        ("ropo: {comments: {101: paid}}", "ropo.comments.101"),
        ("ropo: {comments: {101: {pay: paid}}}", "ropo.comments.101"),
        ("ropo: {comment: {}}", "'comment'"),
        ("ropo: {}\nerp: {}", "'erp'"),
        ("ledger: {}", "'ropo'"),
        ("ropo: {others: {payment: {1: {}}}}", "ropo.others.payment': rows of this type belong"),
        ("ropo: {others: {Comment: {1: {}}}}", "ropo.others.Comment': rows of this type belong"),
        ("ropo: {others: {letter: {1: {}}, Letter: {2: {}}}}", "ropo.others.Letter': this type stands twice"),
        ("ropo: {comments: {101: {payment: paid}, ' 101': {}}}", "ropo.comments': a code stands twice"),
        ("ropo: {comments: {101: {}, 101: {payment: paid}}}", "'101' stands twice"),
        ("ledger: {paid: {payment: paid}\nropo: [", "not usable YAML"),
        ("? [ropo]\n: {}", "not usable YAML"),
        ("- ropo", "expected a mapping"),
        ("ropo: {payments: [1]}", "ropo.payments"),
        ("ropo: {payments: []}", "ropo.payments"),
    ],
)
def test_a_mistake_is_one_error_that_names_file_and_key(tmp_path: Path, text: str, where: str) -> None:
    path = _map(tmp_path, text)
    with pytest.raises(ConfigurationError, match=re.escape(where)) as caught:
        load_status_map(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: file: cannot be read"):
        load_status_map(tmp_path / "none.yaml")


def _map(folder: Path, text: str) -> Path:
    path = folder / "status_map.yaml"
    path.write_text(text, encoding="utf-8")
    return path
