"""The REST API of an Airflow that runs on this machine, asked as one of its users."""

from __future__ import annotations

from typing import Any

import requests

from local_airflow.serving import USER

# Making the runs of a long backfill takes minutes, and is answered when they are made.
_TIMEOUT_SECONDS = 600


class AirflowApi:
    """A user who is logged in. No proxy is asked the way, whatever the environment says.

    :param url: of the API server, without a path.
    :param password: the user's; ``user``: by its name.
    :raises requests.HTTPError: if they are refused.
    :raises requests.RequestException: if no server answers.
    """

    def __init__(self, url: str, password: str, user: str = USER) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        token = self._answer("POST", "/auth/token", {"username": user, "password": password})["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return what it answers.

        :param path: what follows ``/api/v2``.
        :raises requests.HTTPError: if it refuses; what it says of that is in the text.
        """
        return self._answer(method, f"/api/v2{path}", body)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return what is there; None where nothing is, as of a DAG that is not read yet."""
        try:
            return self.ask("GET", path)
        except requests.HTTPError as error:
            if error.response.status_code == requests.codes.not_found:
                return None
            raise

    def _answer(self, method: str, path: str, body: object) -> dict[str, Any]:
        answer = self._session.request(method, f"{self._url}{path}", json=body, timeout=_TIMEOUT_SECONDS)
        if not answer.ok:
            said = f"{method} {path}: HTTP {answer.status_code}: {answer.text[:500]}"
            raise requests.HTTPError(said, response=answer)
        return dict(answer.json())
