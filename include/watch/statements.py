"""The SQL files beside this module."""

from __future__ import annotations

from include.status_store.statements import statements

statement = statements(__package__)
