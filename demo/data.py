"""The demo's made-up data: when it was made, what lives in it, and when it has to be made anew."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from demo.state import Erp, Recorded, forget, record, recorded
from demo.tryton import ledger as tryton
from include.simulator.dataset import Dataset, make_dataset
from include.simulator.ledger import plan_differences, seed_ledger
from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID
from local_airflow.cluster import free_port, port_is_free

if TYPE_CHECKING:
    from pathlib import Path

    from include.simulator.differences import Difference
    from local_airflow.embedded import Server

MARKET = ZoneInfo("Europe/Helsinki")
SEED = 7
PAST_DAYS, COMING_DAYS = 40, 30
RECONCILED_DAYS = 14
# One port for all demos of a machine while it is free; the store knows a queue by its address.
USUAL_PORT = 8124


@dataclass(frozen=True)
class Data:
    """The data of one home.

    :param as_of: the moment as of which the ledger was first made; the stand-in's clock stands there in `make demo`.
    :param port: the stand-in's TCP port.
    :param dataset: what Ropo One's stand-in serves.
    :param differences: what is put into the ledger.
    :param erp: what the ledger is.
    """

    as_of: datetime.datetime
    port: int
    dataset: Dataset
    differences: list[Difference]
    erp: Erp = "plain"

    @property
    def dates(self) -> list[datetime.date]:
        """The business dates to reconcile, ascending: the last ones that were over as of the making."""
        today = self.as_of.astimezone(MARKET).date()
        return [today - datetime.timedelta(days=back) for back in range(RECONCILED_DAYS, 0, -1)]


def provide(home: Path, server: Server, now: datetime.datetime, erp: Erp = "plain") -> tuple[Data, bool]:
    """Give the data of a home. It is made, and the databases with it, unless just this is there, and stood still.

    :param home: the demo's home.
    :param server: its running server, provisioned; its databases ``store``, ``erp`` and ``tryton`` hold the demo's data
        alone.
    :param now: aware.
    :param erp: what the ledger is to be.
    :return: the data, and whether it was made anew.
    """
    dataset = _made_up(erp, now)
    fingerprint = hashlib.sha256(repr(dataset.rows).encode()).hexdigest()
    known = recorded(home)
    is_usable = known is not None and _is_usable(known, fingerprint, erp)
    if known is None or not is_usable:
        forget(home)
        for database in ("store", "erp", tryton.DATABASE):
            server.drop_database(database)
        server.provision()
        port = USUAL_PORT if port_is_free(USUAL_PORT) else free_port()
        known = Recorded(now, port, DEFAULT_CID, DEFAULT_APICODE, fingerprint, moved_on=False, erp=erp)
    plan = tryton.plan if erp == "tryton" else plan_differences
    data = Data(known.as_of, known.port, dataset, plan(dataset, known.as_of), erp)
    if erp == "plain":
        move_ledger(server, data, known.as_of)
    elif not is_usable:
        tryton.book(home, server, dataset, data.differences, known.as_of)
    record(home, known)
    return data, not is_usable


def _is_usable(known: Recorded, fingerprint: str, erp: Erp) -> bool:
    return known.erp == erp and known.fingerprint == fingerprint and not known.moved_on and port_is_free(known.port)


def _made_up(erp: Erp, now: datetime.datetime) -> Dataset:
    if erp == "tryton":
        return tryton.make_small_dataset(SEED, now, MARKET)
    first_day = now.astimezone(MARKET).date() - datetime.timedelta(days=PAST_DAYS)
    return make_dataset(SEED, first_day, PAST_DAYS + COMING_DAYS)


def move_ledger(server: Server, data: Data, as_of: datetime.datetime) -> None:
    """Bring the ledger to what is right at a moment, less the differences; only what changed is written.

    :param server: the running server.
    :param data: the home's data.
    :param as_of: the moment.
    """
    seed_ledger(server.dsn("erp"), data.dataset, data.differences, as_of=as_of)
