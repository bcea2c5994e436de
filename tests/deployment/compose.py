"""Reads docker-compose.yaml as Compose does (merges, ``${VAR}``, ``$$``), and its services as local commands."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
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
    :raises MissingVariableError: where a ``${VAR:?message}`` has no value.
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


@dataclass(frozen=True)
class LocalService:
    """A service of the file as local processes would have it.

    :param definition: the service, filled in.
    :param places: names and paths of the containers' network and file system, each with what it is here.
    """

    definition: Mapping[str, Any]
    places: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """The image's variables and the service's; of the machine's own only what every process needs."""
        given = {name: value for name, value in self.definition["environment"].items() if value is not None}
        ours = {**image_environment(), **given}
        path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOME": os.environ["HOME"], **{key: self._here(ours[key]) for key in ours}}

    def command(self) -> list[str]:
        """The service's command."""
        return [self._here(word) for word in self.definition["command"]]

    def healthcheck(self) -> list[str]:
        """The healthcheck's command, as the container would run it."""
        kind, *words = self.definition["healthcheck"]["test"]
        words = [self._here(word) for word in words]
        return ["sh", "-c", *words] if kind == "CMD-SHELL" else words

    def _here(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text
