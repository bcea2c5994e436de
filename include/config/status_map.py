"""The status map: what Ropo's codes and the ERP's status words say of an invoice.

A state has three parts (payment, stage, end); a code or word says something of any of them, or nothing. A code that
the map lacks is never guessed. A mistake in the file is one :class:`ConfigurationError` that names file and key.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from include.config.errors import ConfigurationError
from include.config.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Payment = Literal["unpaid", "partly_paid", "paid"]
Stage = Literal["invoiced", "due", "reminded", "in_collection"]
End = Literal["credited", "cancelled"]
# Each in the order in which an invoice goes on: the comparison counts with the places in these tuples.
PAYMENTS: tuple[Payment, ...] = get_args(Payment)
STAGES: tuple[Stage, ...] = get_args(Stage)
ENDS: tuple[End, ...] = get_args(End)
PAYMENT_KINDS = ("paid", "discount", "ignore")
# What Ropo calls its two known types of rows, in small letters: a statustype counts whatever its letters are.
PAYMENT_TYPE, COMMENT_TYPE = "payment", "comment"


_TYPE_NUMBER = re.compile(r"[0-9]{0,9}")


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a code or a status word says of the parts of a state; None says nothing of that part."""

    payment: Payment | None = None
    stage: Stage | None = None
    end: End | None = None


class StatusMap(msgspec.Struct, frozen=True, kw_only=True):
    """A checked status map.

    :param payments: type number of a payment row (its statustext) to kind: paid (money received), discount or ignore.
    :param events: type of a row and its statuscode to a meaning. Type ``comment`` is the file's section ``comments``.
    :param ledger: the ERP's status word to a meaning.
    :param version: first 12 hex digits of the SHA-256 of the content, whatever its layout and comments in the file.
    """

    payments: dict[str, str]
    events: dict[str, dict[str, Meaning]]
    ledger: dict[str, Meaning]
    version: str


def is_type_number(text: str) -> bool:
    """Tell whether a payment's statustext is a type number or nothing, and not words that may be about a person."""
    return _TYPE_NUMBER.fullmatch(text) is not None


def load_status_map(path: Path) -> StatusMap:
    """Read and check a status map.

    :param path: the YAML file. Every code is text in it, with or without quotes.
    :raises ConfigurationError: naming file and key.
    """
    content = _section(path, "file", read_yaml(path, texts=True), required=("ropo",), optional=("ledger",))
    ropo = _section(path, "key 'ropo'", content["ropo"], optional=("payments", "comments", "others"))
    payments = dict(_kinds(path, "ropo.payments", ropo.get("payments", {})))
    events = {COMMENT_TYPE: dict(_meanings(path, "ropo.comments", ropo.get("comments", {})))}
    for written, codes in _mapping(path, "ropo.others", ropo.get("others", {})).items():
        # Types of rows are compared in small letters.
        statustype = written.lower()
        if statustype in (PAYMENT_TYPE, COMMENT_TYPE):
            problem = f"rows of this type belong in the section '{statustype}s'"
            raise ConfigurationError(path, f"key 'ropo.others.{written}'", problem)
        if statustype in events:
            raise ConfigurationError(path, f"key 'ropo.others.{written}'", "this type stands twice")
        events[statustype] = dict(_meanings(path, f"ropo.others.{written}", codes))
    ledger = dict(_meanings(path, "ledger", content.get("ledger", {})))
    return StatusMap(payments=payments, events=events, ledger=ledger, version=_version(payments, events, ledger))


def _section(
    path: Path, where: str, value: Any, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    known = (*required, *optional)
    if not isinstance(value, dict):
        raise ConfigurationError(path, where, f"expected a mapping with the keys {', '.join(known)}")
    for key in value:
        if key not in known:
            raise ConfigurationError(path, f"{where}, key '{key}'", f"is not known; expected {', '.join(known)}")
    for key in required:
        if key not in value:
            raise ConfigurationError(path, f"{where}, key '{key}'", "is missing")
    return value


def _mapping(path: Path, where: str, value: Any) -> Mapping[str, Any]:
    if value == "":  # a section that is named and left empty
        return {}
    if not isinstance(value, dict):
        raise ConfigurationError(path, f"key '{where}'", "expected a mapping of codes to what they mean")
    trimmed = {code.strip(): meaning for code, meaning in value.items()}
    if len(trimmed) < len(value):
        raise ConfigurationError(path, f"key '{where}'", "a code stands twice, once with blanks around it")
    return trimmed


def _kinds(path: Path, where: str, section: Any) -> Iterator[tuple[str, str]]:
    for code, kind in _mapping(path, where, section).items():
        if kind not in PAYMENT_KINDS:
            problem = f"expected one of {', '.join(PAYMENT_KINDS)}, got {kind!r}"
            raise ConfigurationError(path, f"key '{where}.{code}'", problem)
        yield code, kind


def _meanings(path: Path, where: str, section: Any) -> Iterator[tuple[str, Meaning]]:
    for code, parts in _mapping(path, where, section).items():
        try:
            meaning = msgspec.convert(parts, Meaning)
        except msgspec.ValidationError as error:
            problem = (
                f"expected any of payment ({', '.join(PAYMENTS)}), stage ({', '.join(STAGES)}), end ({', '.join(ENDS)})"
            )
            raise ConfigurationError(path, f"key '{where}.{code}'", f"{problem}: {error}") from None
        yield code, meaning


def _version(payments: object, events: object, ledger: object) -> str:
    canonical = json.dumps(msgspec.to_builtins([payments, events, ledger]), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
