"""What a home remembers of the demo: where its stand-in of Ropo One listens, and the moment its data was made for."""

from __future__ import annotations

import datetime
import fcntl
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
_FILE = "demo.json"
# Made before anything else in a home, and left there.
_LOCK = "demo.lock"

Erp = Literal["plain", "tryton"]


class DemoRunsAlreadyError(RuntimeError):
    """Another ``make demo`` or ``make up`` uses this home."""


class ForeignHomeError(RuntimeError):
    """The home is somebody's Airflow, and no demo's."""


@dataclass(frozen=True)
class Recorded:
    """A home's demo.

    :param as_of: the moment its data was made for, aware.
    :param port: the TCP port of Ropo One's stand-in on the loopback address.
    :param cid: the customer number there.
    :param apicode: its secret.
    :param fingerprint: of what the stand-in serves, which is another each day.
    :param moved_on: whether the stand-in has gone on producing since.
    :param erp: what the ledger is, "plain" tables or "tryton".
    """

    as_of: datetime.datetime
    port: int
    cid: str
    apicode: str
    fingerprint: str
    moved_on: bool
    erp: Erp = "plain"

    @property
    def url(self) -> str:
        """The stand-in's address."""
        return f"http://{HOST}:{self.port}"


def record(home: Path, demo: Recorded) -> None:
    """Remember a home's demo.

    :param home: the demo's home.
    :param demo: what to remember.
    """
    file = home / _FILE
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({**asdict(demo), "as_of": demo.as_of.isoformat()}))
    draft.replace(file)


def forget(home: Path) -> None:
    """Remember no demo: what is made from here on is not whole yet.

    :param home: the demo's home.
    """
    (home / _FILE).unlink(missing_ok=True)


def recorded(home: Path) -> Recorded | None:
    """What was remembered last.

    :param home: the demo's home.
    :return: None where no demo has run.
    """
    try:
        fields = json.loads((home / _FILE).read_text())
    except FileNotFoundError:
        return None
    return Recorded(**{**fields, "as_of": datetime.datetime.fromisoformat(fields["as_of"])})


def refuse_foreign(home: Path) -> None:
    """Refuse a home that no demo has made: it would get the demo's databases, and every DAG in it its schedule.

    :param home: where the demo is to be.
    :raises ForeignHomeError: if something is there already, and not of a demo's. The checkout's own is taken.
    """
    if home == ROOT / ".airflow" or (home / _LOCK).exists():
        return
    if home.exists() and next(home.iterdir(), None) is not None:
        raise ForeignHomeError(
            f"AIRFLOW_HOME is {home}, which is not empty and was not made by the demo: the demo writes nothing there. "
            "Run `unset AIRFLOW_HOME` first, or name an empty folder"
        )


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Be the only demo in a home: two would drain one queue and run each other's tasks.

    :param home: the demo's home; it exists.
    :raises DemoRunsAlreadyError: if there is another.
    """
    with (home / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoRunsAlreadyError(
                f"`make demo` or `make up` is running in {home}: stop it first, or name another AIRFLOW_HOME"
            ) from None
        yield
