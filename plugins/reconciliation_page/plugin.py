"""Registers the page with Airflow, which loads this one file of the package out of the plugins folder."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from reconciliation_page import PREFIX

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class PageApp:
    """The page's app, made at its first request: every process of Airflow loads plugins, only the API server serves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        from reconciliation_page.app import page_app

        await page_app()(scope, receive, send)


def page_path() -> str:
    """Return the page's path on the API server; it ends in a slash, since without one Airflow's own UI answers."""
    root = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
    return f"{root}{PREFIX}/"


class ReconciliationPagePlugin(AirflowPlugin):
    """The page and its place in the navigation."""

    name = "reconciliation_page"
    fastapi_apps = [{"app": PageApp(), "url_prefix": PREFIX, "name": "Reconciliation"}]  # noqa: RUF012 - Airflow's own
    external_views = [  # noqa: RUF012 - as above
        {
            "name": "Reconciliation",
            "href": page_path(),
            "destination": "nav",
            "url_route": "reconciliation",
            "nav_top_level": True,
            "icon": f"{page_path()}static/icon.svg",
            "icon_dark_mode": f"{page_path()}static/icon-dark.svg",
        }
    ]
