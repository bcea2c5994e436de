"""What is installed is pinned, hashed and installed by its hash; the image has a pinned base, no root and no secret."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import threading

import pytest

from tests.deployment.compose import ROOT

LOCKS = (
    "requirements-build",
    "requirements",
    "requirements-dev",
    "demo/tryton/requirements",
    "benchmarks/peers/datacompy",
    "benchmarks/peers/dlt",
)
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


def test_make_lock_compiles_every_lock_and_each_tells_its_command() -> None:
    asked = [*ROOT.glob("*.in"), *ROOT.glob("demo/**/*.in"), *ROOT.glob("benchmarks/**/*.in")]
    assert {str(file.relative_to(ROOT)) for file in asked} == {f"{name}.in" for name in LOCKS}
    # Without what this very run may have been given: make test ARGS=…
    environment = {name: value for name, value in os.environ.items() if name not in ("ARGS", "MAKEFLAGS")}
    made = subprocess.run(
        ["make", "--dry-run", "--assume-old", ".venv/.installed", "lock"],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in LOCKS:
        command = f"uv pip compile --universal --python-version 3.11 --generate-hashes {name}.in -o {name}.txt"
        assert command in " ".join(made.stdout.replace(" --quiet", "").split())
        assert (ROOT / f"{name}.txt").read_text().splitlines()[1] == f"#    {command}"


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


class _Vulnerabilities(http.server.BaseHTTPRequestHandler):
    """A vulnerability service (OSV's API) that knows one vulnerability, of the package that the server names."""

    def do_POST(self) -> None:
        """Answer a query for one version of one package."""
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        self.server.asked.add(name)  # type: ignore[attr-defined]
        found = {"id": "OSV-2026-1", "summary": "made up", "details": "", "aliases": [], "affected": []}
        body = json.dumps({"vulns": [found]} if name == self.server.vulnerable else {}).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.mark.parametrize("vulnerable", [None, "celery"])
def test_the_audit_asks_for_each_locked_package_and_is_red_for_a_known_vulnerability(vulnerable: str | None) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Vulnerabilities) as server:
        server.vulnerable, server.asked = vulnerable, set()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = f"--vulnerability-service osv --osv-url http://127.0.0.1:{server.server_port}/v1/query"
        audit = subprocess.run(
            ["make", "audit", f"ARGS={service}"],
            cwd=ROOT,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            check=False,
            capture_output=True,
            text=True,
        )
        server.shutdown()
    asked = server.asked  # type: ignore[attr-defined]
    assert asked >= {"apache-airflow", "celery", "psycopg2-binary", "setuptools", "trytond", "uv"}, audit.stderr
    assert (audit.returncode == 0) == (vulnerable is None), audit.stdout + audit.stderr
    if vulnerable is not None:
        assert "OSV-2026-1" in audit.stdout
