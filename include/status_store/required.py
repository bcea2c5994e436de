"""What a person must say when something is settled: a note, a name."""

from __future__ import annotations


def required_text(name: str, text: str) -> str:
    """Return what a person must say, without the blanks around it.

    :param name: what it is called where it is missing.
    :raises ValueError: naming what is empty.
    """
    if said := text.strip():
        return said
    raise ValueError(f"{name}: expected a text, it is empty")
