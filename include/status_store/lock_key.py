"""The keys of PostgreSQL's advisory locks."""

from __future__ import annotations

import hashlib


def lock_key(*words: str) -> int:
    """Return the key of a lock on what these words name: 64 bits with a sign, the same in every process."""
    return int.from_bytes(hashlib.sha256("|".join(words).encode()).digest()[:8], signed=True)
