"""What a person must say when something is settled: a note, a name."""

from __future__ import annotations


def require_texts(**texts: str) -> None:
    """Check that what a person must say is said.

    :raises ValueError: naming what is empty.
    """
    for name, text in texts.items():
        if not text.strip():
            raise ValueError(f"{name}: expected a text, it is empty")
