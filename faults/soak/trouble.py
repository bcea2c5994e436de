"""The kinds of trouble: what each does to a round, and whether it struck. What did not strike is not counted."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import psycopg2

from faults.soak import bouncer
from include.simulator.faults import Fault
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.soak.ground import Ground

    # Plays a round; says what struck, nothing where nothing did.
    Trouble = Callable[[Ground], str | None]

SERVER_FAULTS = (
    Fault("drop_after_consuming"),
    Fault("drop_after_consuming", reset=True),
    Fault("cut_body"),
    Fault("cut_body_chunked", sent_share=0.9),
    Fault("error_5xx_after"),
    Fault("error_5xx_before"),
    Fault("not_json"),
    Fault("no_result"),
    Fault("too_many_requests", retry_after="0"),
    Fault("empty_200"),
    Fault("redirect"),
    Fault("slow", delay=2.5),
    Fault("slow", delay=2.5, consume_first=False),
)


def plan_server_fault(ground: Ground) -> Fault:
    """Let one of the next polls meet a fault of the server's."""
    fault = ground.rng.choice(SERVER_FAULTS)
    kind = "date" if ground.rng.random() < 0.2 else "drain"
    planned = Fault(**{**vars(fault), "after": ground.rng.randint(1, 5), "kind": kind})
    ground.ropo.faults.add(planned)
    return planned


def kill(ground: Ground) -> str | None:
    """SIGKILL of the task at a random moment: of a poll, of its page's commit, of a re-read."""
    with ground.start() as running:
        ground.until_polled(running, ground.rng.randint(1, 8))
        ground.pause(0.05)
        ended = running.pipe.poll()
        running.kill()
    return None if ended else "killed"


def postgres(ground: Ground) -> str | None:
    """PostgreSQL is stopped in the middle of a commit, and started again, in time or too late."""
    struck: list[bool] = []

    def stop() -> None:
        struck.append(True)
        ground.postgres.kill()

    patience = ground.rng.choice([0.5, 60.0])
    ground.proxy.at_commit(ground.rng.randint(2, 16), stop)
    with ground.start(patience=patience) as running:
        until(lambda: struck or running.pipe.poll())
        if not struck:
            ground.proxy.at_commit(0, list)
        until(lambda: running.pipe.poll() or (struck and patience > 1 and not _is_up(ground)))
        if struck:
            until(lambda: not _is_up(ground))
            ground.postgres.start()
            ground.proxy.lead_to(ground.postgres.dsn)
        running.hear()
    return ("back in time" if patience > 1 else "back too late") if struck else None


def _is_up(ground: Ground) -> bool:
    return (ground.postgres.home / "postgres" / "data" / "postmaster.pid").exists()


def server(ground: Ground) -> str | None:
    """The server drops its answer after consuming, cuts it, fails, answers late or nonsense."""
    hits = ground.ropo.faults.hits.total()
    fault = plan_server_fault(ground)
    with ground.start() as running:
        running.hear()
    return fault.name if ground.ropo.faults.hits.total() > hits else None


def token(ground: Ground) -> str | None:
    """The token expires in mid-drain."""
    with ground.start() as running:
        ground.until_polled(running, ground.rng.randint(1, 4))
        ground.ropo.expire_tokens(ground.task.cid)
        refused = sum(poll.status == 401 for poll in ground.ropo.truth.polls)
        running.hear()
    return "expired" if sum(poll.status == 401 for poll in ground.ropo.truth.polls) > refused else None


def disk(ground: Ground) -> str | None:
    """The store's disk is full; there is space again while the page is still in hand, or too late."""
    refusals = ground.postgres.refusals()
    patience = ground.rng.choice([0.5, 60.0])
    ground.postgres.fill_disk()
    try:
        with ground.start(patience=patience) as running:
            until(lambda: running.pipe.poll() or (patience > 1 and ground.postgres.refusals() > refusals))
            ground.postgres.free_disk()
            running.hear()
    finally:
        ground.postgres.free_disk()
    if ground.postgres.refusals() == refusals:
        return None
    return "space in time" if patience > 1 else "space too late"


def clock(ground: Ground) -> str | None:
    """The clock of PostgreSQL and of the task jumps forward by two days, or back by one, in the middle of a run."""
    offset = ground.rng.choice(["+2d", "-1d"])
    with ground.start() as running:
        ground.until_polled(running, ground.rng.randint(1, 3))
        ground.clock.jump(offset)
        # A run that began in the right time ends in the wrong one, and one more is all in the wrong one.
        running.hear()
    _until_it_is(ground, offset)
    ground.add_rows()
    with ground.start() as running:
        ground.until_polled(running, ground.rng.randint(1, 3))
        if ground.rng.random() < 0.5:
            running.kill()
        else:
            running.hear()
    ground.clock.jump("+0")
    _until_it_is(ground, "+0")
    return "forward" if offset == "+2d" else "back"


def _until_it_is(ground: Ground, offset: str) -> None:
    days = {"+2d": 2, "-1d": -1, "+0": 0}[offset]
    # The clock of this process never jumps.
    asked = "SELECT round(extract(epoch FROM clock_timestamp() - to_timestamp(%s)) / 86400)"

    def jumped() -> bool:
        ((off,),) = ground.execute(asked, time.time())
        return int(off) == days

    until(jumped)


def race(ground: Ground) -> str | None:
    """Two or three drains at once."""
    with ExitStack() as ended:
        runs = [ended.enter_context(ground.start()) for _ in range(ground.rng.randint(2, 3))]
        told = [running.hear() for running in runs]
    return "busy" if any(drain == "busy" for drain, _ in told) else None


def lock(ground: Ground) -> str | None:
    """The session that holds the queue's lock is terminated in mid-drain."""
    with ground.start() as running:
        ground.until_polled(running, ground.rng.randint(1, 4))
        ground.pause(0.03)
        struck = ground.end_sessions(ground.lock_holders())
        running.hear()
    return "terminated" if struck else None


def pooled(ground: Ground) -> str | None:
    """Two drains through a PgBouncer that pools transactions, with another client's beside theirs."""
    with bouncer.pooling(ground.postgres.dsn, ground.home) as dsn, ExitStack() as ended:
        other = ended.enter_context(closing(psycopg2.connect(dsn)))
        runs = [ended.enter_context(ground.start(dsn=dsn)) for _ in range(2)]
        while not all(running.pipe.poll() for running in runs):
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.001)")
            other.commit()
        told = [running.hear() for running in runs]
    until(lambda: not ground.lock_holders())
    return "lock lost" if any(drain == "lock_lost" for drain, _ in told) else "busy or none"


KINDS: dict[str, Trouble] = {
    "task killed": kill,
    "PostgreSQL stopped in mid-commit": postgres,
    "server's fault": server,
    "disk full": disk,
    "clock jumps": clock,
    "drains race": race,
    "lock's session terminated": lock,
    "PgBouncer in between": pooled,
    "token expires": token,
}


def not_possible(ground: Ground) -> dict[str, str]:
    """The kinds that this machine cannot play, and why."""
    reasons = {
        "disk full": ground.postgres.no_disk,
        "clock jumps": ground.clock.missing,
        "PgBouncer in between": bouncer.missing(),
    }
    return {kind: reason for kind, reason in reasons.items() if reason}
