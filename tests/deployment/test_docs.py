"""What the documents name is there: tests, files, settings of the Compose file."""

from __future__ import annotations

import re

import pytest

from tests.deployment.compose import ROOT

DOCUMENTS = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
_TEST = re.compile(r"`(?:tests/)?((?:[a-z_]+/)+test_\w+\.py)`")
_LINK = re.compile(r"\]\(([\w./-]+\.\w+)(?:#[\w-]+)?\)")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_test_and_file_that_a_document_names_exists(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert [test for test in _TEST.findall(text) if not (ROOT / "tests" / test).is_file()] == []
    assert [link for link in _LINK.findall(text) if not (ROOT / "docs" / link).is_file()] == []


def test_the_readme_leads_to_every_document() -> None:
    linked = set(_LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert {f"docs/{name}" for name in DOCUMENTS} <= linked


def test_each_defence_of_the_threat_model_names_its_test() -> None:
    rows = [line for line in (ROOT / "docs" / "threat-model.md").read_text().splitlines() if line.count("|") == 6]
    _, _, *threats = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert len(threats) > 10
    assert [who for who, _, defended, shown, _ in threats if defended != "nothing technical" and not shown] == []


def test_each_promise_names_tests_that_exist() -> None:
    rows = _promises()
    assert len(rows) > 20
    for promise, shown in rows.items():
        assert shown, promise
        for file, name in shown:
            assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{promise}: {file}::{name}"


def test_what_the_readme_promises_is_word_for_word_among_the_promises() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## What is promised\n")[2].partition("\n## ")[0].partition("\n[All promises]")[0]
    promised = [" ".join(bullet.split()) for bullet in section.split("\n- ")[1:]]
    assert len(promised) > 5
    assert set(promised) - set(_promises()) == set()


@pytest.mark.parametrize("name", ["README.md", "docs/deployment.md", "docker-compose.yaml", ".env.example"])
def test_the_file_of_secrets_is_made_for_its_owner_alone(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "install -m 600 .env.example .env" in text
    assert "cp .env.example" not in text


@pytest.mark.parametrize("name", ["../README.md", *DOCUMENTS])
def test_no_command_of_a_document_leaves_the_shell_another_umask(name: str) -> None:
    """Whoever goes on in that shell would write a checkout that nobody else reads, the image's user neither."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert re.findall(r"^.*(?<!\()\bumask \d+.*$", text, re.MULTILINE) == []


def test_the_example_of_a_backfill_through_rest_is_one_that_airflow_takes() -> None:
    from airflow.api_fastapi.core_api.datamodels.backfills import BackfillPostBody  # a second or two

    (body,) = re.findall(r"--json '(\{.*?\})'", (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"), re.DOTALL)
    asked = BackfillPostBody.model_validate_json(body)
    assert (asked.dag_id, asked.reprocess_behavior.value) == ("ropo_reconciliation", "completed")


def _promises() -> dict[str, list[tuple[str, str]]]:
    rows = [line.split("|") for line in (ROOT / "docs" / "promises.md").read_text("utf-8").splitlines() if "|" in line]
    cells = [(promise.strip(), shown) for _, promise, shown, _ in rows]
    return {
        promise: re.findall(r"`([\w/]+\.py)::(test_\w+)`", shown)
        for promise, shown in cells
        if promise != "promise" and set(promise) != {"-"}
    }
