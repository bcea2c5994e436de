"""One user is let through folders that are closed to others, and nobody else is."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_airflow import cluster, embedded
from local_airflow.passage import let_read, let_through

if TYPE_CHECKING:
    from collections.abc import Iterator

# Users of whom nothing else on the machine knows.
LET_IN, ANOTHER, STRANGER = 61_001, 61_002, 61_003

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look with the eyes of other users")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is closed, with a file in it that everybody may read; what stands above it is open."""
    with tempfile.TemporaryDirectory() as made:
        Path(made, "file").write_text("content")
        Path(made, "file").chmod(0o644)
        yield Path(made)


def _may(uid: int, *command: str, gid: int = STRANGER) -> bool:
    return (
        subprocess.run(command, user=uid, group=gid, extra_groups=[], capture_output=True, check=False).returncode == 0
    )


def test_who_is_let_through_reads_what_he_knows_the_name_of_and_lists_nothing(folder: Path) -> None:
    let_through(folder, LET_IN)
    let_through(folder, ANOTHER)
    let_through(folder, LET_IN)
    for uid in (LET_IN, ANOTHER):
        assert _may(uid, "cat", str(folder / "file"))
        assert not _may(uid, "ls", str(folder))
    assert not _may(STRANGER, "cat", str(folder / "file"))


def test_a_folder_that_everybody_may_pass_stays_as_it_is(folder: Path) -> None:
    folder.chmod(0o711)
    let_through(folder, LET_IN)
    assert os.listxattr(folder) == []


def test_the_folders_own_group_may_what_it_might(folder: Path) -> None:
    folder.chmod(0o740)
    os.chown(folder, 0, ANOTHER)
    let_through(folder, LET_IN)
    assert _may(STRANGER, "ls", str(folder), gid=ANOTHER)
    assert not _may(STRANGER, "cat", str(folder / "file"), gid=ANOTHER)
    folder.chmod(0o700)  # closed again, to all of them
    assert not _may(LET_IN, "cat", str(folder / "file"))
    let_through(folder, LET_IN)
    assert _may(LET_IN, "cat", str(folder / "file"))
    assert not _may(STRANGER, "ls", str(folder), gid=ANOTHER)


def test_a_tree_that_was_installed_under_a_closed_umask_is_read_and_run(folder: Path) -> None:
    folder.chmod(0o755)
    tree = folder / "wheel"
    (tree / "bin").mkdir(parents=True)
    for name, content, mode in (("bin/run", "#!/bin/sh\ncat $(dirname $0)/../data\n", 0o711), ("data", "x", 0o600)):
        (tree / name).write_text(content)
        (tree / name).chmod(mode)
    (tree / "link").symlink_to("nowhere")
    (tree / "bin").chmod(0o700)
    tree.chmod(0o700)
    assert not _may(STRANGER, "sh", "-c", str(tree / "bin" / "run"))

    let_read(tree)

    assert _may(STRANGER, "sh", "-c", str(tree / "bin" / "run"))
    assert not _may(STRANGER, "test", "-x", str(tree / "data"))
    let_read(folder / "nothing")


def test_postgresql_started_by_root_opens_no_folder_to_others(folder: Path) -> None:
    home = folder / "home"
    with embedded.shared(home, durable=False):
        for each in (folder, home):
            assert each.stat().st_mode & 0o007 == 0
        assert not _may(STRANGER, "ls", str(home / "postgres-turn.lock"))


def test_a_file_system_without_acls_is_told_and_its_folders_stay_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refused)
    with (
        pytest.raises(cluster.EmbeddedPostgresError, match=f"whom {folder}.* is closed to; .*Operation not supported"),
        embedded.shared(folder / "home", durable=False),
    ):
        pass
    assert folder.stat().st_mode & 0o777 == 0o700
