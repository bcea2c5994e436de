"""What every test may use: one real PostgreSQL, and a fresh, migrated store of its own for each test."""

from __future__ import annotations

import fcntl
import os
import pathlib
import shutil
import tempfile
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

from include.config.profiles import Profile
from include.status_store import reread
from include.status_store.database import connect
from include.status_store.migrate import upgrade
from include.status_store.session import Session
from local_airflow import embedded, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection
    from xdist.remote import Producer


# A file system in memory, and what it must have free: several times what the tests' databases take at once.
IN_MEMORY = pathlib.Path("/dev/shm")
ROOM_IN_MEMORY = 4 * 2**30
# Seconds until a run that makes its folder holds the lock in it.
A_START = 600
# Folders whose files share what is slow to start or to make: an Airflow and a browser, Airflow's tables, a Tryton.
TOGETHER = ("tests/browser", "tests/integration/airflow", "tests/integration/tryton")
# Folders of tests that start whole programs: they go first, so that no worker waits in the end for another's long file.
FIRST = ("tests/deployment", "tests/demo", "tests/browser", "tests/integration", "tests/faults", "tests/local_airflow")


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker an Airflow home of its own, and each run a folder of its own for what tests write."""
    environment.forget_installation(os.environ)
    os.environ.update(environment.past_proxies(os.environ))
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and "AIRFLOW_HOME" in os.environ:
        # Before a test module imports Airflow.
        os.environ["AIRFLOW_HOME"] += f"-{worker}"
    if not worker and config.option.basetemp is None:
        # pytest's usual one is closed to others whenever a run begins, to another run's unprivileged PostgreSQL too.
        config.option.basetemp = tempfile.mkdtemp(prefix="ropo-tests-")
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of the folders of :data:`FIRST` before the others."""
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Give each worker whole files, in their order, and all files of a folder of :data:`TOGETHER` to one."""
    # xdist's own order is by the number of a file's tests.
    config.option.loadscopereorder = False

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = nodeid.partition("::")[0].rpartition("/")[0]
            return folder if folder in TOGETHER else str(super()._split_scope(nodeid))

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _no_pauses() -> Iterator[None]:
    """A re-read that broke off is asked again at once; a process that a test starts sees to that itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reread, "PAUSE_SECONDS", 0.0)
        yield


@pytest.fixture(scope="session")
def _postgres_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """Where PostgreSQL's files are: in memory where there is room, since most tests begin with copies of databases."""
    if not IN_MEMORY.is_dir() or shutil.disk_usage(IN_MEMORY).free < ROOM_IN_MEMORY:
        yield tmp_path_factory.mktemp("postgres")
        return
    _remove_left_ones()
    # What a test killed may leave a server that still writes when the folder goes.
    with tempfile.TemporaryDirectory(prefix="ropo-tests-", dir=IN_MEMORY, ignore_cleanup_errors=True) as home:
        yield pathlib.Path(home)


def _remove_left_ones() -> None:
    """Remove what a run has left in memory that was killed; one under way holds its PostgreSQL's lock."""
    for left in IN_MEMORY.glob("ropo-tests-*"):
        with suppress(OSError), (left / "postgres-users.lock").open() as users:
            if time.time() - left.stat().st_mtime > A_START:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(_postgres_home: pathlib.Path) -> Iterator[embedded.Server]:
    """A PostgreSQL of this test run's own."""
    with embedded.shared(_postgres_home, durable=False) as server:
        server.provision()
        yield server


@pytest.fixture(scope="session")
def store_template(postgres: embedded.Server) -> str:
    """A migrated, empty store to copy from."""
    name = postgres.fresh_database("store_template")
    upgrade(postgres.dsn(name))
    return name


@pytest.fixture
def store_name(postgres: embedded.Server, store_template: str) -> Iterator[str]:
    """A store of the test's own, by its database's name."""
    name = postgres.fresh_database("store", template=store_template)
    yield name
    postgres.drop_database(name)


@pytest.fixture
def store_dsn(postgres: embedded.Server, store_name: str) -> str:
    """Where that store is."""
    return postgres.dsn(store_name)


@pytest.fixture
def store(store_dsn: str) -> Iterator[Connection]:
    """A connection of the test's own to look into the store; each statement sees what is committed by then."""
    with closing(connect(store_dsn)) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def session(store_dsn: str) -> Iterator[Session]:
    """A session as the code under test uses it."""
    with Session(lambda: connect(store_dsn), patience=30) as session:
        yield session


@pytest.fixture
def profile(tmp_path: pathlib.Path) -> Profile:
    """A profile with the shipped settings."""
    return Profile(name="default")
