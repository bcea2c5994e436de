"""How the configuration files are read: YAML in which no key of a mapping may stand twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from include.config.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


class _UniqueKeys(yaml.composer.Composer):
    """Refuses a repeated key, which YAML's own loaders let win over the first without a word.

    It looks at what is written, so that a key beside a merge (``<<``) that has it too is none.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.composer.ComposerError(None, None, f"key '{key.value}' stands twice", key.start_mark)
            seen.add(key.value)
        return node


class _Typed(_UniqueKeys, yaml.SafeLoader):
    """Numbers, dates and truth values are read as such."""


class _Texts(_UniqueKeys, yaml.BaseLoader):
    """Every scalar is read as text, so that no code turns into a number on the way."""


def read_yaml(path: Path, *, texts: bool = False) -> Any:
    """Read a configuration file.

    :param texts: whether every scalar is text.
    :raises ConfigurationError: naming the file; where it is no YAML, or repeats a key, with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        loader = _Texts(text) if texts else _Typed(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except OSError as error:
        raise ConfigurationError(path, "file", f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is a date such as 2026-02-31, or no UTF-8
        raise ConfigurationError(path, "file", f"is not usable YAML: {error}") from error
