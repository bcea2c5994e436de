"""What some tests need and not every machine has; ``.ci/run`` installs it."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def in_ci() -> bool:
    """Whether this is the continuous integration, where nothing may be missing: ``CI`` is set, as ``.ci/run`` does."""
    return os.environ.get("CI", "") not in ("", "false")


def missing(reason: str) -> NoReturn:
    """Skip the test; in the continuous integration it fails.

    :param reason: what is missing, and what to install.
    """
    (pytest.fail if in_ci() else pytest.skip)(reason)
