"""The pages served by themselves, over a store that a test has filled: what needs no run of Airflow's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from reconciliation_page import PREFIX
from tests.plugins.reconciliation_page.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def served_alone(page_app: FastAPI) -> Iterator[str]:
    """Serve the pages, mounted as Airflow mounts them; where they are."""
    app = FastAPI()
    app.mount(PREFIX, page_app)
    with serving(app) as served:
        yield f"{served}{PREFIX}"
