"""What others say, made fit for a line of a log and for the journal."""

from __future__ import annotations


def legible(text: str) -> str:
    """Return a text with a question mark in place of each character that is not printable.

    A server may send any: PostgreSQL's text holds no NUL, UTF-8 no half of a surrogate pair, and a line of a log ends
    at a line feed.
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)
