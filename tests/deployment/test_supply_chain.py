"""What is installed is pinned, hashed and installed by its hash; the image has a pinned base, no root and no secret."""

from __future__ import annotations

import re

import pytest

from tests.deployment.compose import ROOT

LOCKS = ("requirements-build", "requirements", "requirements-dev")
_PINNED = re.compile(r"^([a-z0-9-]+)==\S+(?: ;.*)? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]*")


def locked(name: str) -> dict[str, int]:
    """The packages of a lock, each with the number of its hashes; a line of another form fails."""
    found: dict[str, int] = {}
    package = None
    for line in (ROOT / f"{name}.txt").read_text().splitlines():
        if line.lstrip().startswith("#") or line == "-c requirements.txt":
            continue
        if pinned := _PINNED.match(line):
            package = pinned[1]
            found[package] = 0
        else:
            assert _HASH.match(line), f"{name}.txt: {line}"
            assert package is not None
            found[package] += 1
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_the_lock_has_one_version_and_hashes(name: str) -> None:
    packages = locked(name)
    assert packages
    assert [package for package, hashes in packages.items() if not hashes] == []


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_asked_for_is_in_the_lock(name: str) -> None:
    asked = [_NAME.match(line) for line in (ROOT / f"{name}.in").read_text().splitlines()]
    names = {match[0].lower() for match in asked if match}
    assert names
    assert names - set(locked(name)) == set()


def test_nothing_is_installed_but_by_its_hash() -> None:
    files = {file: (ROOT / file).read_text().replace("\\\n", " ") for file in ("Makefile", "Dockerfile")}
    installing = [
        line for text in files.values() for line in text.splitlines() if re.search("pip (install|sync)", line)
    ]
    assert len(installing) == 5
    for line in installing:
        # The project itself comes from here, and what builds it is locked, too.
        assert "--require-hashes" in line or {"--no-deps", "--no-build-isolation"} <= set(line.split()), line


def test_the_image_has_a_pinned_base_and_a_user_and_copies_no_secret() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert re.fullmatch(r"ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-\w+", lines[1])
    assert [line for line in lines if line.startswith("FROM")] == ["FROM ${PYTHON_IMAGE}"]
    assert [line for line in lines if line.startswith("USER")][-1] == lines[-1] == "USER 50000"
    assert not re.search("(?i)password|secret|token", "\n".join(lines))

    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*", "only what is named gets into the image"
    copied = {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
