"""Airflow knows the connection type "Ropo One" by the provider's entry point, and shows its form."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
from airflow.providers_manager import ProvidersManager
from jsonschema import Draft7Validator

from local_airflow.paths import ROOT
from ropo_one import operators
from ropo_one.connection import LONGEST_CONNECT_TIMEOUT, LONGEST_READ_TIMEOUT
from ropo_one.hooks import RopoOneHook
from ropo_one.provider_info import get_provider_info

if TYPE_CHECKING:
    from airflow.api_fastapi.core_api.datamodels.connections import ConnectionHookMetaData

AIRFLOW = ROOT / ".venv" / "bin" / "airflow"


@pytest.fixture(scope="module")
def form() -> ConnectionHookMetaData:
    """What the UI's form of connections is given."""
    (form,) = [each for each in HookMetaService.hook_meta_data() if each.connection_type == "ropo_one"]
    return form


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("airflow").joinpath(name).read_text(encoding="utf-8"))
    return found


def test_it_keeps_to_airflows_schema() -> None:
    validator = Draft7Validator(schema("provider_info.schema.json"))
    assert [error.message for error in validator.iter_errors(get_provider_info())] == []


def test_it_names_every_module_with_operators_for_dags() -> None:
    [named] = get_provider_info()["operators"]
    folder = Path(operators.__path__[0])
    # Of the others `profile` holds what they have in common.
    assert sorted(named["python-modules"]) == sorted(
        f"ropo_one.operators.{file.stem}" for file in folder.glob("[a-z]*.py") if file.stem != "profile"
    )


def test_the_form_takes_no_longer_timeout_than_a_task_does() -> None:
    (told,) = get_provider_info()["connection-types"]
    longest = {name: told["conn-fields"][name]["schema"]["maximum"] for name in ("connect_timeout", "read_timeout")}
    assert longest == {"connect_timeout": LONGEST_CONNECT_TIMEOUT, "read_timeout": LONGEST_READ_TIMEOUT}


def test_the_form_keeps_to_airflows_schema() -> None:
    known = schema("provider.yaml.schema.json")["properties"]["connection-types"]["items"]
    (told,) = get_provider_info()["connection-types"]
    assert [
        error.message for error in Draft7Validator({**known, "additionalProperties": False}).iter_errors(told)
    ] == []


def test_airflow_finds_the_provider_and_its_hook() -> None:
    manager = ProvidersManager()  # type: ignore[no-untyped-call]  # Airflow's, without annotations
    assert "ropo-one-reconciliation" in manager.providers
    hook = manager.hooks["ropo_one"]
    assert hook is not None
    assert (hook.hook_class_name, hook.hook_name, hook.connection_id_attribute_name) == (
        "ropo_one.hooks.RopoOneHook",
        "Ropo One",
        RopoOneHook.conn_name_attr,
    )


def test_the_form_names_the_fields_in_ropos_words(form: ConnectionHookMetaData) -> None:
    fields = form.standard_fields
    assert form.hook_name == "Ropo One"
    assert fields is not None
    assert fields.login is not None
    assert fields.password is not None
    assert fields.host is not None
    assert (fields.login.title, fields.password.title) == ("Customer number", "API code")
    assert fields.host.placeholder == "https://rc.ropo24.fi"
    assert fields.port is not None
    assert fields.url_schema is not None
    assert fields.port.hidden
    assert fields.url_schema.hidden


def test_the_form_has_the_timeouts_and_the_ca(form: ConnectionHookMetaData) -> None:
    assert form.extra_fields is not None
    assert {name: field["schema"]["type"] for name, field in form.extra_fields.items()} == {
        "connect_timeout": ["number", "null"],
        "read_timeout": ["number", "null"],
        "ca_file": ["string", "null"],
    }
    assert all(field["description"] for field in form.extra_fields.values())


def test_the_cli_lists_the_provider(tmp_path: Path) -> None:
    given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    listed = subprocess.run(
        [str(AIRFLOW), "providers", "hooks", "-o", "json"],
        env={**given, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    hooks = {hook["connection_type"]: hook for hook in json.loads(listed.stdout)}
    assert hooks["ropo_one"]["package_name"] == "ropo-one-reconciliation"
    assert hooks["ropo_one"]["class"] == "ropo_one.hooks.RopoOneHook"
    assert hooks["http"]["class"] == "airflow.providers.http.hooks.http.HttpHook"
