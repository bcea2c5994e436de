"""Peers in environments of their own under ``.bench/``, made from their locks where they are missing or another."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".bench"
LOCKS = Path(__file__).with_name("peers")


def project_python() -> Path:
    """The interpreter of the project's own environment: this one."""
    return Path(sys.executable)


def peer_python(peer: str) -> Path:
    """The interpreter of a peer's environment.

    :param peer: name of its lock, ``benchmarks/peers/<peer>.txt``.
    """
    lock = LOCKS / f"{peer}.txt"
    home = HOME / peer
    python = home / "bin" / "python"
    stamp = home / "installed-from"
    fingerprint = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != fingerprint:
        print(f"{peer}: making its environment", flush=True)
        venv.create(home, clear=True, symlinks=True)
        uv = project_python().with_name("uv")
        command = [str(uv), "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock)]
        subprocess.run(command, check=True)
        stamp.write_text(fingerprint)
    return python
