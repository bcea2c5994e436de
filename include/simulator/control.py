"""The control API under `/simulator`: set the scene from another process, and ask what really happened."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - FastAPI reads the annotations
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from include.simulator.answers import json_answer
from include.simulator.dataset import make_dataset
from include.simulator.faults import Fault  # noqa: TC001 - as above
from include.simulator.ropo import DEFAULT_CID, Behaviour
from include.simulator.rows import QueuedRow
from include.simulator.transport import WireResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request, Response

    from include.simulator.ropo import Ropo


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCustomer(_Wish):
    """A customer with a queue of its own."""

    cid: str
    apicode: str
    timezone: str = "Europe/Helsinki"


class NewRows(_Wish):
    """Rows for a customer's queue, all recorded at one moment: by default now."""

    rows: list[dict[str, Any]]
    cid: str = DEFAULT_CID
    recorded_at: datetime | None = None


class NewDataset(_Wish):
    """The arguments of `make_dataset`, and whose rows they are."""

    seed: int
    first_day: date
    days: int = Field(ge=0, le=4000)
    scale: float = Field(default=1.0, ge=0, le=100)
    timezone: str = "Europe/Helsinki"
    cid: str = DEFAULT_CID


class Clock(_Wish):
    """A fixed moment, or null for the machine's clock."""

    now: datetime | None


class _WishRoute(APIRoute):
    """Answers a wish that cannot be granted instead of failing; the Ropo endpoints keep their failures."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def granted(request: Request) -> Response:
            try:
                return await handle(request)
            except KeyError as error:
                raise HTTPException(404, f"not known: {error}") from error
            except (ValueError, OverflowError) as error:
                raise HTTPException(400, str(error)) from error

        return granted


class _Control:
    """The control API's endpoints.

    :param ropo: the state that they change and show.
    """

    def __init__(self, ropo: Ropo) -> None:
        self._ropo = ropo

    async def health(self) -> dict[str, Any]:
        return {"status": "ready", "now": self._ropo.now()}

    async def reset(self, fault_seed: int = 0) -> dict[str, Any]:
        self._ropo.reset(fault_seed)
        return {}

    async def add_customer(self, new: NewCustomer) -> dict[str, Any]:
        self._ropo.add_customer(new.cid, new.apicode, new.timezone)
        return {"cid": new.cid}

    async def add_rows(self, new: NewRows) -> dict[str, Any]:
        recorded_at = new.recorded_at or self._ropo.now()
        return {"rows": self._ropo.add_rows((QueuedRow(row, recorded_at) for row in new.rows), new.cid)}

    async def load_dataset(self, new: NewDataset) -> dict[str, Any]:
        dataset = make_dataset(new.seed, new.first_day, new.days, new.scale, new.timezone)
        return {"rows": self._ropo.load(dataset, new.cid), "invoices": len(dataset.invoices)}

    async def add_faults(self, faults: list[Fault]) -> dict[str, Any]:
        for fault in faults:
            self._ropo.faults.add(fault)
        return {"pending": len(self._ropo.faults.pending)}

    async def show_faults(self) -> dict[str, Any]:
        return {"pending": self._ropo.faults.pending, "hits": self._ropo.faults.hits}

    async def clear_faults(self) -> dict[str, Any]:
        self._ropo.faults.clear()
        return {}

    async def set_now(self, clock: Clock) -> dict[str, Any]:
        self._ropo.set_now(clock.now)
        return {"now": self._ropo.now()}

    async def set_behaviour(self, behaviour: Behaviour) -> Behaviour:
        self._ropo.behaviour = behaviour
        return behaviour

    async def expire_tokens(self, cid: str | None = None) -> dict[str, Any]:
        self._ropo.expire_tokens(cid)
        return {}

    async def show_truth(self, rows: bool = False, cid: str | None = None) -> WireResponse:
        # Not FastAPI's own JSON: a malformed row may hold what UTF-8 cannot say.
        return WireResponse(json_answer(200, self._ropo.truth.as_json(with_rows=rows, cid=cid)))

    async def come_redirected(self) -> dict[str, Any]:
        self._ropo.truth.redirects_followed += 1
        return {"result": {"status": []}}


def control_router(ropo: Ropo) -> APIRouter:
    """The routes of the control API; a wrong wish is answered 400, 404 or 422 in the shape of RFC 7807.

    :param ropo: the state that they change and show.
    """
    control = _Control(ropo)
    routes = APIRouter(prefix="/simulator", route_class=_WishRoute)
    for method, path, endpoint in (
        ("GET", "/health", control.health),
        ("POST", "/reset", control.reset),
        ("POST", "/customers", control.add_customer),
        ("POST", "/rows", control.add_rows),
        ("POST", "/dataset", control.load_dataset),
        ("POST", "/faults", control.add_faults),
        ("GET", "/faults", control.show_faults),
        ("DELETE", "/faults", control.clear_faults),
        ("PUT", "/now", control.set_now),
        ("PUT", "/behaviour", control.set_behaviour),
        ("POST", "/tokens/expire", control.expire_tokens),
        ("GET", "/truth", control.show_truth),
        ("GET", "/redirected", control.come_redirected),
    ):
        routes.add_api_route(path, endpoint, methods=[method])
    return routes
