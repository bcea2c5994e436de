"""How the configuration files are read: YAML in which no key of a mapping may stand twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from include.config.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Numbers, dates and truth values are read as such; or every scalar as text, so that no code turns into a number on the
# way. By libyaml where PyYAML has it: the profiles are read by each task and for each page, there may be hundreds, and
# PyYAML's own parser takes six times as long.
_TYPED = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXTS = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
# Whole or with decimals, and whatever is no finite number: of that the key's own error says more.
_PLAIN_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read_yaml(path: Path, *, texts: bool = False) -> Any:
    """Read a configuration file.

    :param texts: whether every scalar is text.
    :raises ConfigurationError: naming the file; with its line, if it is no YAML or repeats a key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        loader = _TEXTS(text) if texts else _TYPED(text)
        try:
            top = loader.get_single_node()
            if top is None:
                return None
            _refuse_repeated_keys(top)
            if not texts:
                _refuse_odd_numbers(top)
            try:
                return loader.construct_document(top)
            except ValueError as error:
                raise ValueError(_unreadable(type(loader), top, error)) from None
        finally:
            loader.dispose()
    except OSError as error:
        raise ConfigurationError(path, "file", f"cannot be read: {error.strerror}") from None
    # All that they say is in the one error: a second traceback before it would only hide that.
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is a date such as 2026-02-31, or no UTF-8
        raise ConfigurationError(path, "file", f"is not usable YAML: {error}") from None


def _refuse_repeated_keys(top: yaml.Node) -> None:
    """Refuse a repeated key, which YAML's own loaders let win over the first without a word.

    This looks at what is written, so that a key beside a merge (``<<``) that has it too is none.
    """
    for mapping in _mappings(top):
        seen: set[str] = set()
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.composer.ComposerError(None, None, f"key '{key.value}' stands twice", key.start_mark)
            seen.add(key.value)


def _refuse_odd_numbers(top: yaml.Node) -> None:
    """Refuse what YAML takes for a number and people do not: 1:30 as 90, by sixties, and 010 as 8, by eights."""
    for node in _nodes(top):
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and not _PLAIN_NUMBER.fullmatch(node.value):
            raise yaml.composer.ComposerError(
                None, None, f"expected a number in plain digits, got {node.value}", node.start_mark
            )


def _unreadable(kind: type[Any], top: yaml.Node, error: ValueError) -> str:
    """Return which scalar looks like a date, say, and is none; with its line, which PyYAML's own error lacks."""
    for node in _nodes(top):
        if isinstance(node, yaml.ScalarNode):
            try:
                kind("").construct_object(node)
            except ValueError:
                line = node.start_mark.line + 1
                return f"line {line}: {error}, got {node.value}; what is no date stands in quotes"
    return str(error)


def _mappings(top: yaml.Node) -> Iterator[yaml.MappingNode]:
    return (node for node in _nodes(top) if isinstance(node, yaml.MappingNode))


def _nodes(top: yaml.Node) -> Iterator[yaml.Node]:
    # What an alias names is one node, wherever it stands.
    waiting, known = [top], {id(top)}
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        else:
            parts = node.value if isinstance(node, yaml.SequenceNode) else []
        fresh = [part for part in parts if id(part) not in known]
        known.update(map(id, fresh))
        waiting += fresh
