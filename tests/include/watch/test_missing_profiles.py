"""A profile that was taken out of the profiles file is told, since no task is left that would tell anything of it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.retired import retire
from include.status_store.source import PollInDoubtError, PollUnsentError
from include.watch.missing_profiles import MissingProfiles
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import execute, query
from tests.include.watch.records import broken, keep_break, record, told

if TYPE_CHECKING:
    import pathlib

    from psycopg2.extensions import connection as Connection

    from include.status_store.session import Session
    from include.watch.alert import Alert
    from tests.include.status_store.scripted_source import Step


class Books:
    """A profiles file whose first profile is ``default``, and a store that has drained other profiles too."""

    def __init__(self, session: Session, store: Connection, file: pathlib.Path) -> None:
        self.session = session
        self.store = store
        self.file = file
        self.name("default")

    def name(self, *names: str) -> None:
        """Write the file with these profiles."""
        text = "".join(f"  - {{name: {name}, connection: ropo_{name}}}\n" for name in names)
        self.file.write_text(f"profiles:\n{text}", encoding="utf-8")

    def drain(self, name: str, *answers: Step) -> None:
        """Drain a profile's queue."""
        source = ScriptedSource(*answers or (EMPTY,), queue=("ropo.example", name))
        journal = Journal(Profile(name=name), dag_id="drain", run_id="r1")
        Drain(self.session, source, journal, max_pages=10, max_seconds=30).run()

    def told(self, minutes: float = 61, *, by: str = "default") -> list[Alert]:
        """Look as the watch of a profile does, some minutes from now."""
        now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
        return told(self.session, MissingProfiles(Profile(name=by), now))

    def retire(self, name: str) -> None:
        """Say that one is retired."""
        with self.session.transaction() as cursor:
            retire(cursor, name, [], by="Anna", note="its customer number was given up")


@pytest.fixture
def books(session: Session, store: Connection, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Books:
    """The file has the profile ``default`` alone."""
    file = tmp_path / "profiles.yaml"
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))
    return Books(session, store, file)


def test_it_names_what_waits_of_it_the_file_and_both_ways_out(books: Books) -> None:
    for number in (1, 2):
        books.drain("gone", page(row(number, amount="a lot")), PollInDoubtError("lost"))
    execute(books.store, "UPDATE ropo.status_poll SET recovery = 'unproven' WHERE poll_id = 2")
    execute(
        books.store,
        "UPDATE ropo.status_quarantine SET resolved_at = now(), resolution = 'dismissed' WHERE quarantine_id = 1",
    )
    number = record(books.store, datetime.date(2026, 10, 5), "breaks", breaks=(broken("1", "5.00"),), profile="gone")
    keep_break(books.store, number, "b:1", "ledger_behind", "open")
    keep_break(books.store, number, "b:2", "ledger_behind", "accepted")
    # Something else that is told of it is no word that it was retired.
    execute(
        books.store,
        "INSERT INTO ropo.alert (profile, topic, subject, fingerprint, found_at) "
        "VALUES ('gone', 'another', 'gone', '', now())",
    )
    # What a profile that is there does, and what waits of it, is no matter of this one.
    execute(books.store, "UPDATE ropo.status_poll SET opened_at = opened_at - interval '1 hour'")
    books.drain("default", page(row(9, amount="a lot")), PollInDoubtError("lost"))
    number = record(books.store, datetime.date(2026, 10, 5), "breaks", breaks=(broken("1", "5.00"),))
    keep_break(books.store, number, "b:1", "ledger_behind", "open")

    (alert,) = books.told(2)

    assert alert.subject == "[Ropo One] default: profile gone is not in the profiles file any more"
    assert f"{books.file} lacks it, and its queue was last asked at " in alert.text
    assert "Of it wait 1 open break, 2 polls in doubt and 1 row in quarantine" in alert.text
    assert "put it back into the file" in alert.text
    assert "`python -m include.status_store retire gone --note …`" in alert.text


def test_each_is_told_once_until_it_is_back_and_anew_where_it_goes_again(books: Books) -> None:
    for name in ("gone", "another"):
        books.drain(name)

    assert [alert.subject for alert in books.told()] == ["[Ropo One] default: 2 profiles are not in the profiles file"]
    assert books.told(76) == []
    books.name("default", "gone", "another")
    assert books.told(91) == []
    books.name("default", "gone")
    assert [alert.titles for alert in books.told(106)] == [("profile another is not in the profiles file any more",)]


def test_only_the_watch_of_the_files_first_profile_tells_it(books: Books) -> None:
    books.drain("gone")
    books.name("default", "second")

    assert books.told(by="second") == []
    assert len(books.told()) == 1


def test_one_that_another_deployment_drains_into_the_same_store_is_not_missing(books: Books) -> None:
    books.drain("elsewhere")
    execute(books.store, "UPDATE ropo.status_poll SET opened_at = opened_at - interval '5 hours'")
    books.drain("elsewhere")

    assert books.told(59) == []
    execute(
        books.store,
        "INSERT INTO ropo.status_poll (profile, kind, filter_value, opened_at) "
        "VALUES ('elsewhere', 'date', '2026-10-05', clock_timestamp() + interval '1 hour')",
    )
    assert len(books.told(61)) == 1, "a re-read asks for no queue"


def test_one_whose_drains_ropo_one_has_asked_to_wait_is_not_missing(books: Books) -> None:
    books.drain("elsewhere")
    execute(books.store, "UPDATE ropo.profile_pin SET not_before = clock_timestamp() + interval '3 hours'")

    assert books.told(239) == []
    assert len(books.told(241)) == 1


def test_a_name_under_which_ropo_one_served_nothing_is_none(books: Books) -> None:
    with pytest.raises(PollUnsentError):
        books.drain("mistyped", PollUnsentError("no such host"))
    assert query(books.store, "SELECT profile FROM ropo.profile_pin") == [("mistyped",)]
    books.drain("default")  # which says nothing of the other name

    assert books.told() == []
    execute(books.store, "UPDATE ropo.status_poll SET outcome = 'refused' WHERE profile = 'mistyped'")
    assert books.told() == []


def test_one_that_was_the_files_first_is_missing_though_another_was_told_under_its_name(books: Books) -> None:
    for name in ("another", "gone"):
        books.drain(name)
    books.name("gone")
    assert len(books.told(by="gone")) == 1
    books.name("default")

    (alert,) = books.told()
    assert alert.subject.endswith("2 profiles are not in the profiles file")


def test_one_that_is_retired_is_told_no_more(books: Books) -> None:
    books.drain("gone")
    assert len(books.told()) == 1
    books.retire("gone")

    assert books.told(61 + 24 * 60) == []


def test_one_that_comes_back_is_retired_no_more(books: Books) -> None:
    books.drain("gone")
    books.retire("gone")
    books.name("default", "gone")
    assert books.told(by="gone") == []
    books.name("default")

    assert len(books.told()) == 1
