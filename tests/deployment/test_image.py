"""The image's last steps, run on a checkout as it may have been written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.deployment.compose import ROOT

if TYPE_CHECKING:
    from pathlib import Path

READ, WRITE, PASS = 0o004, 0o022, 0o001


def test_the_images_user_may_read_and_not_change_what_was_copied_whatever_its_modes_were(tmp_path: Path) -> None:
    """`COPY` keeps the checkout's modes, such as those of umask 077, and makes root the owner."""
    image, programs = tmp_path / "image", tmp_path / "programs"
    for folder in ("plugins", "include/config", "dags"):
        (image / folder).mkdir(parents=True)
        (image / folder / "module.py").write_text("")
    (image / "include/config/profiles.yaml").write_text("")
    (image / "include/program").write_text("")
    for path in [*image.rglob("*")]:
        path.chmod(0o700 if path.is_dir() or path.name == "program" else 0o600)
    (image / "include/config/profiles.yaml").chmod(0o666)
    programs.mkdir()
    (programs / "pip").symlink_to("/bin/true")
    (programs / "python").symlink_to(sys.executable)

    _run_last_step(image, f"{programs}:/usr/bin:/bin")

    modes = {path: path.stat().st_mode for path in image.rglob("*")}
    assert [path for path, mode in modes.items() if not mode & READ] == []
    assert [path for path, mode in modes.items() if mode & WRITE] == []
    assert [path for path, mode in modes.items() if path.is_dir() and not mode & PASS] == []
    assert {path.name for path, mode in modes.items() if path.is_file() and mode & PASS} == {"program"}
    compiled = {path.parent.parent.name for path in modes if path.suffix == ".pyc"}
    assert compiled == {"plugins", "config", "dags"}


def _run_last_step(image: Path, programs: str) -> None:
    text = re.sub(r"^ *#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    *_, step = re.findall(r"^RUN (.*?)(?<!\\)$", text, re.MULTILINE | re.DOTALL)
    subprocess.run(["sh", "-ec", step], cwd=image, env={**os.environ, "PATH": programs}, check=True)
