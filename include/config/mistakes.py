"""What msgspec says of a mistake in a profile, in the words of the person who wrote the file."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, get_args

import msgspec

# What a text must look like by its key, where a regular expression says it.
_FORMS = {
    "name": "letters, digits, dots, dashes and underscores, 64 at most",
    "country": "two capital letters such as FI",
    "currency": "three capital letters such as EUR",
    "alerts.to": "a mail address such as finance@example.com",
}
# By msgspec's names of types.
_KINDS = {
    "int": "a whole number",
    "str": "a text",
    "date": "a date, written as YYYY-MM-DD without quotes",
    "decimal": 'an amount, written in quotes and with a point, as in "0.05"',
    "array": "a list",
    "object": "a mapping of keys",
}
_BOUNDS = {">=": "of {} or more", "<=": "of {} at most", "of length >=": "that is not empty"}
_EXPECTED = re.compile(r"Expected `(\w+)`(?: (>=|<=|of length >=) (\d+)|, got `\w+`)?")


def located(entry: object, kind: type[msgspec.Struct], message: str) -> tuple[str, str]:
    """Turn msgspec's "… - at `$.ledger.query`" or "… unknown field `x`" into a key, and what is wrong with it.

    :param entry: what was written.
    :param kind: what it was to become.
    :return: the key, with dots between those of mappings in it, and the problem; an empty key for the whole entry.
    """
    problem, _, at = message.partition(" - at ")
    keys = re.findall(r"\w+", at.removeprefix("`key` in"))
    if at.startswith("`key`"):
        return ".".join(keys), "holds a key that is no text"
    unknown = re.search(r"(unknown|missing required) field `([^`]+)`", problem)
    if unknown:
        key = ".".join([*keys, unknown.group(2)])
        if unknown.group(1) != "unknown":
            return key, "is missing"
        known = [field.name for field in msgspec.structs.fields(_kind(kind, keys))]
        near = get_close_matches(unknown.group(2), known, n=1)
        return key, f"is not known{f'; did you mean {near[0]}?' if near else ''}"
    return ".".join(keys), _expectation(problem, keys, kind, _value(entry, keys))


def _expectation(problem: str, keys: list[str], kind: type[msgspec.Struct], value: object) -> str:
    form = _FORMS.get(".".join(key for key in keys if not key.isdecimal()))
    said = _EXPECTED.fullmatch(problem)
    if form and problem.startswith("Expected `str` matching"):
        wanted = form
    elif problem.startswith("Invalid enum value"):
        wanted = f"one of {', '.join(get_args(_kind(kind, keys)))}"
    elif problem.startswith("Invalid decimal string"):
        wanted = _KINDS["decimal"]
    elif said and said.group(1) in _KINDS:
        name, bound, number = said.groups()
        wanted = " ".join(filter(None, [_KINDS[name], _BOUNDS[bound].format(number) if bound else ""]))
    else:
        return problem
    if isinstance(value, bool) and wanted == _KINDS["str"]:
        return (
            f"expected {wanted}, got {_shown(value)}; YAML reads yes, no, on and off as truth values: write them in "
            'quotes, as in "NO"'
        )
    # An argument of a notifier may be a secret, though it belongs into a connection.
    return f"expected {wanted}" + ("" if "arguments" in keys else f", got {_shown(value)}")


def _kind(kind: Any, keys: list[str]) -> Any:
    """Return the type at some keys; a number among them is a place in a list."""
    for key in keys:
        if key.isdecimal():
            kind = get_args(kind)[0]
        else:
            kind = {field.name: field.type for field in msgspec.structs.fields(kind)}[key]
    return kind


def _value(entry: Any, keys: list[str]) -> object:
    for key in keys:
        entry = entry[int(key) if isinstance(entry, list | tuple) else key]
    return entry


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return repr(value) if isinstance(value, str) else str(value)
