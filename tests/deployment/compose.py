"""Reads docker-compose.yaml as Compose does (merges, ``${VAR}``, ``$$``), and the Dockerfile's variables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yaml"
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<rule>:[-?])(?P<word>[^}]*))?\})")


class MissingVariableError(ValueError):
    """A required variable is not set; the text is the file's own message."""


def load(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in.

    :param variables: the environment and `.env` together.
    :raises MissingVariableError: if a ``${VAR:?message}`` has no value.
    """
    return dict(_filled(yaml.safe_load(COMPOSE_FILE.read_text()), variables))


def required_variables() -> set[str]:
    """The names of all ``${VAR:?message}`` in the file."""
    found = _VARIABLE.finditer(COMPOSE_FILE.read_text())
    return {match["name"] for match in found if match["rule"] == ":?"}


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return _VARIABLE.sub(lambda match: _value(match, variables), node) if isinstance(node, str) else node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    value = variables.get(match["name"], "")
    if value or match["rule"] is None:
        return value
    if match["rule"] == ":?":
        raise MissingVariableError(match["word"])
    return match["word"]


def image_environment() -> dict[str, str]:
    """The ``ENV`` of the Dockerfile."""
    block = re.search(r"^ENV (.*?)(?<!\\)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE | re.DOTALL)
    if block is None:
        raise ValueError("the Dockerfile sets no ENV")
    return dict(pair.split("=", 1) for pair in block[1].replace("\\\n", " ").split())
