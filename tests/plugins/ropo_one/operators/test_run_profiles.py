"""A run's profiles are the file's when it begins, and those that it had where tasks of it keep what they did."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, task_group
from airflow.sdk.exceptions import AirflowFailException

from include.config.profiles import profiles_file
from ropo_one.operators.run_profiles import RunProfilesOperator

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from airflow.sdk import Context

State = str | None


@pytest.fixture
def write(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write a profiles file with these names."""
    file = tmp_path / "profiles.yaml"
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))

    def write(*names: str) -> None:
        file.write_text("profiles:\n" + "".join(f"  - {{name: {name}}}\n" for name in names), encoding="utf-8")

    return write


class Store(dict[str, Any]):
    """What Airflow keeps for a task of a run, whatever its tries."""

    def set(self, key: str, value: Any, *, retention: object) -> None:
        self[key] = value


class Run:
    """A run whose tasks *compare* and *verdict* are mapped over its profiles."""

    def __init__(self, **options: Any) -> None:
        with DAG("a_dag", schedule=None) as dag:

            @task_group
            def profile(name: str) -> None:
                EmptyOperator(task_id="compare") >> EmptyOperator(task_id="verdict")

            self.profiles = RunProfilesOperator(task_id="profiles", **options)
            profile.expand(name=self.profiles.output)
        self.dag = dag
        self.store = Store()
        self.tries = 0

    def begin(
        self, *, key: str = "2026-11-16", run_type: str = "scheduled", params: object = (), **states: State
    ) -> list[str]:
        """Run the task *profiles* where the mapped tasks have these states, by the keys of Airflow's API."""
        self.tries += 1

        def get_task_states(dag_id: str, *, task_ids: list[str], run_ids: list[str]) -> dict[str, dict[str, State]]:
            assert (dag_id, sorted(task_ids), run_ids) == ("a_dag", ["profile.compare", "profile.verdict"], ["the_run"])
            unmapped: dict[str, State] = {} if states else dict.fromkeys(task_ids)
            return {"the_run": unmapped | {f"profile.{key}": state for key, state in states.items()}}

        instance = SimpleNamespace(
            dag_id="a_dag", run_id="the_run", try_number=self.tries, get_task_states=get_task_states
        )
        run = SimpleNamespace(partition_key=key, run_type=run_type)
        context = {"ti": instance, "dag_run": run, "params": params or {}, "task_state_store": self.store}
        return self.profiles.execute(cast("Context", context))


def test_they_are_the_files_in_its_order(write: Callable[..., None]) -> None:
    write("default", "beta")
    assert Run().begin() == ["default", "beta"]


def test_a_param_that_nothing_reads_is_refused(write: Callable[..., None]) -> None:
    """Else a run that was meant for one profile would be of each."""
    write("default", "beta")
    with pytest.raises(
        AirflowFailException, match="was given 'profile', which nothing reads: expected no param but none"
    ):
        Run().begin(params={"profile": "beta"}, run_type="manual")


@pytest.mark.parametrize("kept", ["success", "failed", "upstream_failed", "skipped", "running", "restarting"])
def test_a_task_that_keeps_what_it_did_keeps_its_profile_whatever_became_of_the_file(
    write: Callable[..., None], kept: str
) -> None:
    """*profiles* was cleared without all that comes after it: a task that is cleared later has the profile it had."""
    run = Run()
    write("default", "beta")
    run.begin()
    write("beta", "new", "default")

    assert run.begin(compare_0=None, compare_1=kept, verdict_0=None, verdict_1=None) == ["default", "beta"]
    assert run.begin(compare_0=None, compare_1=kept, verdict_0=None, verdict_1=None) == ["default", "beta"]


def test_a_run_that_is_cleared_whole_takes_the_file_as_it_is(write: Callable[..., None]) -> None:
    run = Run()
    write("default", "beta")
    run.begin()
    write("beta")

    assert run.begin(compare_0=None, compare_1=None, verdict_0=None, verdict_1=None) == ["beta"]
    write("gamma", "beta")
    assert run.begin(compare_0="success", compare_1="removed", verdict_0="success", verdict_1="removed") == ["beta"]
    assert run.begin(compare_0=None, compare_1="removed", verdict_0=None, verdict_1="removed") == ["gamma", "beta"]


def test_it_refuses_more_profiles_than_it_began_with(write: Callable[..., None]) -> None:
    run = Run()
    write("default")
    run.begin()
    write("default", "beta")

    with pytest.raises(
        AirflowFailException, match="has 2 profiles for its date now, which are more than it began with"
    ):
        run.begin(compare_0=None, verdict_0=None)


def test_a_run_of_an_earlier_version_is_refused(write: Callable[..., None]) -> None:
    write("default")
    with pytest.raises(AirflowFailException, match="made by an earlier version of this DAG"):
        Run().begin(compare_0="success", verdict_0="success")


def test_where_nothing_is_kept_of_what_a_run_had_a_part_of_it_is_not_given_what_the_file_has_now(
    write: Callable[..., None],
) -> None:
    run = Run()
    write("default")
    run.begin()
    run.store.clear()

    with pytest.raises(AirflowFailException, match="which profiles it had is not kept"):
        run.begin(compare_0="success", verdict_0=None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set the operator's clock, in UTC."""

    def clock(text: str) -> None:
        now = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
        monkeypatch.setattr("ropo_one.operators.run_profiles.timezone", SimpleNamespace(utcnow=lambda: now))

    return clock


@pytest.mark.parametrize(("now", "date"), [("2026-11-16T21:59", "2026-11-16"), ("2026-11-16T12:00", "2026-12-24")])
@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_a_date_that_is_over_in_no_market_is_refused_before_anything_is_asked(
    write: Callable[..., None], clock: Callable[[str], None], run_type: str, now: str, date: str
) -> None:
    """It would be red as a day that is not over, and told as a difference is."""
    write("default")
    clock(now)
    with pytest.raises(AirflowFailException, match=rf"^{date} is not over before \S+ 00:00 EET.* run it then"):
        Run().begin(key=date, run_type=run_type)


@pytest.fixture
def begun_apart(write: Callable[..., None]) -> None:
    """Two profiles of which the first begins a month later."""
    write("a, start_date: 2026-03-01", "b, start_date: 2026-02-01")


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
@pytest.mark.usefixtures("begun_apart")
def test_a_date_before_every_start_date_is_refused_before_anything_is_asked(run_type: str) -> None:
    """It would be red as incomplete, and told."""
    with pytest.raises(AirflowFailException) as refused:
        Run().begin(key="2026-01-31", run_type=run_type)

    assert str(refused.value).startswith(f"2026-01-31 is before start_date, which is 2026-02-01 ({profiles_file()}): ")
    assert Run().begin(key="2026-01-31") == ["a", "b"]  # scheduled, of a file whose start_date lies ahead


@pytest.mark.usefixtures("begun_apart")
def test_a_full_comparison_of_a_month_before_their_start_leaves_them_out_though_it_is_scheduled() -> None:
    months = {"2026-01-31": [], "2026-02-28": ["b"], "2026-03-31": ["a", "b"]}
    assert {key: Run(begun_only=True).begin(key=key) for key in months} == months


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
@pytest.mark.usefixtures("begun_apart")
def test_a_profile_that_begins_later_has_no_part_in_a_run_of_an_earlier_date(run_type: str) -> None:
    assert Run().begin(key="2026-02-28", run_type=run_type) == ["b"]
    assert Run().begin(key="2026-03-01", run_type=run_type) == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "run_type", "said"),
    [
        ({}, "manual", "left out: a (2026-03-01)"),
        ({"begun_only": True}, "scheduled", "left out: a (2026-03-01)"),
        ({}, "scheduled", "at work, but nothing sent before it is compared: a (2026-03-01)"),
    ],
)
@pytest.mark.usefixtures("begun_apart")
def test_a_profile_that_begins_after_the_date_is_named_in_one_line_of_the_log(
    capsys: pytest.CaptureFixture[str], options: dict[str, bool], run_type: str, said: str
) -> None:
    run = Run(**options)
    run.begin(key="2026-02-28", run_type=run_type)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "start_date" in line]
    assert f" 2026-02-28 is before start_date ({profiles_file()}); {said} " in line
    run.begin(key="2026-03-01", run_type=run_type)
    assert "start_date" not in capsys.readouterr().out


def test_one_that_is_over_in_the_first_of_its_markets_is_run(
    write: Callable[..., None], clock: Callable[[str], None]
) -> None:
    write("sweden, timezone: Europe/Stockholm", "finland")
    clock("2026-11-16T22:00")
    assert Run().begin(key="2026-11-16", run_type="manual") == ["sweden", "finland"]


def test_a_scheduled_run_waits_for_its_markets_midnight_instead(
    write: Callable[..., None], clock: Callable[[str], None]
) -> None:
    write("sweden, timezone: Europe/Stockholm")
    clock("2026-11-16T22:00")
    assert Run().begin(key="2026-11-16") == ["sweden"]
