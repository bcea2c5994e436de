"""The verdict: never green on missing knowledge."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.config.profiles import Profile
from include.reconciliation.categories import CATEGORIES, MATCHED, counted_category
from include.reconciliation.totals import Totals
from include.reconciliation.verdict import LedgerKnowledge, StoreKnowledge, is_red, judge, missing_knowledge
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

AFTER, ASKED_BEFORE_THE_END = at("2026-03-11 03:00"), at("2026-03-10 21:59")


def _words(world: World, **options: Any) -> tuple[str, list[str]]:
    result = world.reconcile(**options)
    return result.verdict, [reason.word for reason in result.reasons]


def _matched(world: World) -> None:
    world.comment("1", "98")
    world.row("1")


def test_reconciled_where_all_is_known_and_all_agree(world: World) -> None:
    _matched(world)
    assert _words(world, reread_poll_id=world.know_all()) == ("reconciled", [])


def test_a_quiet_day_is_reconciled(world: World) -> None:
    world.row("1")
    result = world.reconcile(reread_poll_id=world.know_all(outcome="empty", new_count=None))
    assert (result.verdict, result.population, result.recovered) == ("reconciled", 0, 0)


def test_a_difference_is_pending_then_a_break(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    reread = world.know_all()
    assert _words(world, reread_poll_id=reread) == ("pending", ["pending"])
    result = world.reconcile(reread_poll_id=reread, now=at("2026-03-13 00:00"))
    assert (result.verdict, result.breaks, result.pending) == ("breaks", 1, 0)
    assert result.reasons[0].text == "1 of 1 invoice differs: 1 behind in the ledger"


def test_incomplete_goes_before_breaks_and_both_are_told(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    assert _words(world, now=at("2026-03-13 00:00")) == ("incomplete", ["reread_missing", "no_drain_since", "breaks"])


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"filter_value": "2026-03-09"}, id="another date"),
        pytest.param({"kind": "billnum"}, id="an invoice number that looks like the date"),
        pytest.param({"profile": "other"}, id="another profile's date"),
    ],
)
def test_incomplete_the_reread_is_of_something_else(world: World, columns: dict[str, str]) -> None:
    _matched(world)
    world.know_all()
    whole = {"opened_at": AFTER, "closed_at": AFTER, "possibly_cut": False, "absent_count": 0}
    poll = {"kind": "date", "outcome": "landed", "filter_value": str(DAY), **whole, **columns}
    assert _words(world, reread_poll_id=world.poll(**poll)) == ("incomplete", ["reread_missing"])


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"outcome": "in_doubt"}, "reread_failed"),
        ({"outcome": "refused"}, "reread_failed"),
        ({"outcome": "unsent"}, "reread_failed"),
        ({"possibly_cut": True}, "reread_cut"),
        ({"absent_count": 2}, "reread_contradicted"),
        # Its process ended after the page had landed, and before anybody looked whether it shows what is held.
        ({"absent_count": None}, "reread_failed"),
        ({"opened_at": at("2026-03-10 21:59")}, "reread_too_early"),
        # By a clock that ran ahead: nobody knows when it was.
        ({"opened_at": at("2199-03-10 21:59"), "closed_at": at("2199-03-10 21:59")}, "reread_too_early"),
    ],
)
def test_incomplete_the_reread_cannot_be_relied_on(world: World, columns: dict[str, Any], word: str) -> None:
    _matched(world)
    reread = world.know_all()
    values = ", ".join(f"{name} = %s" for name in columns)
    world.store(f"UPDATE ropo.status_poll SET {values} WHERE poll_id = %s", (*columns.values(), reread))
    assert _words(world, reread_poll_id=reread) == ("incomplete", [word])


def test_what_the_reread_brought_and_did_not_show_is_recorded(world: World) -> None:
    _matched(world)
    result = world.reconcile(reread_poll_id=world.know_all(new_count=3, absent_count=2))
    assert (result.recovered, result.absent_from_reread) == (3, 2)
    assert world.store("SELECT recovered, absent_from_reread FROM ropo.reconciliation") == [(3, 2)]


def test_incomplete_no_drain_completed_since_the_days_end(world: World) -> None:
    _matched(world)
    reread = world.know_all()
    early = "opened_at = '2026-03-10 21:58Z', closed_at = '2026-03-10 21:59Z'"
    world.store(f"UPDATE ropo.status_poll SET {early} WHERE outcome = 'empty'")
    assert _words(world, reread_poll_id=reread) == ("incomplete", ["no_drain_since"])


def test_incomplete_the_only_204_since_the_days_end_is_of_a_clock_that_ran_ahead(world: World) -> None:
    _matched(world)
    reread = world.know_all()
    world.store("UPDATE ropo.status_poll SET closed_at = now() + interval '2 days' WHERE outcome = 'empty'")
    assert _words(world, reread_poll_id=reread) == ("incomplete", ["no_drain_since"])


@pytest.mark.parametrize(
    "poll",
    [
        pytest.param({"kind": "date", "filter_value": str(DAY), "opened_at": AFTER}, id="the date's re-read"),
        pytest.param({"kind": "drain", "profile": "other", "opened_at": AFTER}, id="another profile's drain"),
        pytest.param({"kind": "drain", "opened_at": ASKED_BEFORE_THE_END}, id="a drain that asked before the end"),
        pytest.param({"kind": "drain", "outcome": "landed", "opened_at": AFTER}, id="a drain that brought rows"),
    ],
)
def test_incomplete_an_answer_that_says_nothing_of_the_queue_after_the_days_end(
    world: World, poll: dict[str, Any]
) -> None:
    _matched(world)
    whole = {"possibly_cut": False, "absent_count": 0, "closed_at": AFTER}
    reread = world.poll("date", "landed", filter_value=str(DAY), opened_at=AFTER, **whole)
    world.poll(**{"outcome": "empty", **whole, **poll})
    assert _words(world, reread_poll_id=reread) == ("incomplete", ["no_drain_since"])


def test_the_newest_of_several_204s_counts(world: World) -> None:
    _matched(world)
    world.poll("drain", "empty", opened_at=ASKED_BEFORE_THE_END, closed_at=at("2026-03-10 22:01"))
    assert _words(world, reread_poll_id=world.know_all()) == ("reconciled", [])


def test_a_reread_of_the_moment_at_which_the_day_ends_is_not_too_early(world: World) -> None:
    _matched(world)
    reread = world.know_all(opened_at=at("2026-03-10 22:00"))
    assert _words(world, reread_poll_id=reread) == ("reconciled", [])


@pytest.mark.parametrize(
    ("recovery", "window_to", "verdict"),
    [
        ("pending", "2026-03-10", "incomplete"),
        ("unproven", "2026-03-12", "incomplete"),
        ("unproven", "2026-03-09", "reconciled"),
        ("recovered", "2026-03-12", "reconciled"),
        ("accepted", "2026-03-12", "reconciled"),
    ],
)
def test_incomplete_a_doubt_whose_window_reaches_the_date_or_later(
    world: World, recovery: str, window_to: str, verdict: str
) -> None:
    _matched(world)
    world.poll("drain", "in_doubt", recovery=recovery, window_to=window_to, closed_at=at("2026-03-10 10:00"))
    assert world.reconcile(reread_poll_id=world.know_all()).verdict == verdict


def test_incomplete_a_drain_poll_that_a_dead_process_left_open(world: World) -> None:
    _matched(world)
    poll = world.poll("drain", "open")
    reread = world.know_all()
    # A drain at work has left none, be it that the comparison's own clock is ahead.
    ahead = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    assert _words(world, reread_poll_id=reread, now=ahead) == ("reconciled", [])

    world.store(
        "UPDATE ropo.status_poll SET opened_at = clock_timestamp() - interval '16 minutes' WHERE poll_id = %s", (poll,)
    )
    assert _words(world, reread_poll_id=reread) == ("incomplete", ["poll_left_open"])


def test_incomplete_rows_in_quarantine_and_pages_not_parsed(world: World) -> None:
    _matched(world)
    world.quarantine(b"x", at("2026-02-01"))
    world.page(complete=True)
    assert _words(world, reread_poll_id=world.know_all()) == ("incomplete", ["rows_in_quarantine", "pages_unparsed"])


@pytest.mark.parametrize("scope", ["date", "full"])
def test_what_another_profile_does_not_know_is_nothing_to_this_one(world: World, scope: str) -> None:
    _matched(world)
    reread = world.know_all()
    mine, world.profile = world.profile, Profile(name="other")
    world.poll_id = world.poll("drain", "landed", opened_at=AFTER, closed_at=AFTER)
    world.poll("drain", "in_doubt", recovery="unproven", window_to="2026-03-12", closed_at=at("2026-03-10 10:00"))
    world.poll("drain", "open", opened_at=at("2026-03-10 10:00"))
    world.quarantine(b"x", at("2026-02-01"))
    world.page(complete=True)
    world.comment("1", "98", seen=at("2026-03-11 20:00"))
    found = world.reconcile(profile=mine, reread_poll_id=reread, scope=scope)
    assert (found.verdict, found.reasons) == ("reconciled", [])
    query = "SELECT events_cutoff FROM ropo.reconciliation WHERE events_cutoff < %s"
    assert world.store(query, (at("2026-03-11 20:00"),)) == [(at("2026-03-10 10:00"),)]


def test_what_was_dismissed_and_a_date_that_nobody_answered_keep_nothing_from_being_reconciled(world: World) -> None:
    _matched(world)
    world.quarantine(b"x", at("2026-02-01"))
    world.store("UPDATE ropo.status_quarantine SET resolved_at = now()")
    world.poll("date", "open", filter_value="2026-03-09", opened_at=at("2026-03-10 10:00"))
    assert _words(world, reread_poll_id=world.know_all()) == ("reconciled", [])


def test_what_came_of_a_cut_answer_is_no_page_to_be_parsed(world: World) -> None:
    _matched(world)
    world.page(complete=False)
    assert world.reconcile(reread_poll_id=world.know_all()).verdict == "reconciled"


@pytest.mark.parametrize("hours", [0, 12])
def test_incomplete_a_ledger_that_returns_nothing_at_all(world: World, hours: int) -> None:
    ledger = msgspec.structs.replace(world.profile.ledger, max_age_hours=hours)
    profile = msgspec.structs.replace(world.profile, ledger=ledger)
    assert _words(world, reread_poll_id=world.know_all(), profile=profile) == ("incomplete", ["ledger_empty"])


@pytest.mark.parametrize(
    ("changed_at", "words"),
    [(at("2026-03-10 11:00"), []), (at("2026-03-10 10:59"), ["ledger_stale"]), (None, ["ledger_stale"])],
)
def test_incomplete_a_ledger_whose_newest_change_is_too_old(
    world: World, changed_at: datetime.datetime | None, words: list[str]
) -> None:
    world.comment("1", "98")
    world.row("1", changed_at=changed_at)
    ledger = msgspec.structs.replace(world.profile.ledger, max_age_hours=12)
    profile = msgspec.structs.replace(world.profile, ledger=ledger)
    assert _words(world, reread_poll_id=world.know_all(), profile=profile)[1] == words
    assert world.store("SELECT ledger_newest_change FROM ropo.reconciliation") == [(changed_at,)]


@pytest.mark.parametrize("ahead", ["2099-12-31", "infinity"])
def test_a_row_that_is_dated_ahead_makes_no_stale_ledger_new(world: World, ahead: str) -> None:
    world.comment("1", "98")
    world.row("1", changed_at=at("2026-02-10 08:00"))
    world.row("2", sent_at=None, changed_at=ahead)
    ledger = msgspec.structs.replace(world.profile.ledger, max_age_hours=12)
    profile = msgspec.structs.replace(world.profile, ledger=ledger)
    assert _words(world, reread_poll_id=world.know_all(), profile=profile) == ("incomplete", ["ledger_stale"])


def test_incomplete_a_day_that_is_not_over(world: World) -> None:
    _matched(world)
    reread = world.know_all()
    assert _words(world, reread_poll_id=reread, now=at("2026-03-10 21:59"))[1] == ["day_not_over"]
    assert _words(world, reread_poll_id=reread, now=at("2026-03-10 22:00"))[1] == []


def test_reasons_say_what_is_missing_and_what_to_do(world: World) -> None:
    _matched(world)
    assert [reason.text for reason in world.reconcile(DAY).reasons] == [
        "this run has no re-read of 2026-03-10; the log of its task reread (of an earlier date: reread_earlier) says "
        "why. Mend that, then run the date again",
        "no drain has emptied the queue since 2026-03-10 ended; let ropo_status_drain finish, then run the date again",
    ]
    # Running the date would not make another full comparison.
    assert [reason.text for reason in world.reconcile(DAY, scope="full").reasons] == [
        "this run has no re-read of 2026-03-10; the log of its task reread says why. Mend that, then run "
        "ropo_full_comparison for it again",
        "no drain has emptied the queue since 2026-03-10 ended; let ropo_status_drain finish, then run "
        "ropo_full_comparison for it again",
    ]


@pytest.mark.parametrize(
    ("verdict", "breaks", "fail_on", "red"),
    [
        ("breaks", 1, ("breaks",), True),
        ("incomplete", 0, ("breaks",), False),
        ("incomplete", 2, ("breaks",), True),
        ("incomplete", 0, ("incomplete",), True),
        ("breaks", 1, ("incomplete",), False),
        ("pending", 0, ("pending",), True),
        ("reconciled", 0, ("breaks", "incomplete", "pending"), False),
    ],
)
def test_a_run_is_red_as_the_profile_says(verdict: str, breaks: int, fail_on: tuple[str, ...], red: bool) -> None:
    assert is_red(verdict, breaks, fail_on) is red


# ----- the words of the reasons


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (
            {"population": 313, "breaks": 1, "categories": {"amount_mismatch": {"breaks": 1}}},
            "1 of 313 invoices differs: 1 with amounts that differ",
        ),
        (
            {"population": 2313, "breaks": 3,
             "categories": {"status_conflict": {"breaks": 1, "pending": 4}, "amount_mismatch": {"breaks": 2}}},
            "3 of 2\u202f313 invoices differ: 1 status conflict, 2 with amounts that differ",
        ),
        (
            {"population": 1, "pending": 1, "categories": {"missing_in_ledger": {"pending": 1}}},
            "1 invoice differs and is within its grace: 1 missing in the ledger",
        ),
        (
            {"population": 9, "pending": 2, "categories": {"ambiguous_match": {"pending": 2}}},
            "2 invoices differ and are within their grace: 2 ambiguous matches",
        ),
    ],
)  # fmt: skip
def test_what_differs_is_worded_for_one_invoice_and_for_several(counts: dict[str, Any], text: str) -> None:
    _, [reason] = judge(Totals(**counts), [])
    assert reason.text == text


def test_each_category_has_words_for_one_invoice_and_for_several() -> None:
    worded = [[counted_category(name, number) for number in (1, 2000)] for name in CATEGORIES if name != MATCHED]
    assert worded == [
        ["1 unparseable", "2\u202f000 unparseable"],
        ["1 twice in the ledger", "2\u202f000 twice in the ledger"],
        ["1 ambiguous match", "2\u202f000 ambiguous matches"],
        ["1 missing in the ledger", "2\u202f000 missing in the ledger"],
        ["1 missing at Ropo One", "2\u202f000 missing at Ropo One"],
        ["1 unknown status", "2\u202f000 unknown statuses"],
        ["1 inconsistent in the ledger", "2\u202f000 inconsistent in the ledger"],
        ["1 status conflict", "2\u202f000 status conflicts"],
        ["1 behind in the ledger", "2\u202f000 behind in the ledger"],
        ["1 ahead in the ledger", "2\u202f000 ahead in the ledger"],
        ["1 with amounts that differ", "2\u202f000 with amounts that differ"],
    ]


@pytest.mark.parametrize(
    ("number", "texts"),
    [
        (
            1,
            [
                "the re-read of 2026-03-10 did not show 1 event that the store holds for it; run the date again, and "
                "ask Ropo if it stays so",
                "1 drain poll that may have taken what matters here is in doubt, not yet recovered; the drain re-reads "
                "its dates by itself, what it cannot prove must be accepted with a note",
                "1 drain poll was left open by a process that died; the next drain judges it",
                "1 row of profile default waits in quarantine; replay it with a newer parser or dismiss it with a note",
                "1 page of profile default is not parsed yet; replay it",
                "the newest change of the ledger (connection erp_ledger) is of 2026-03-09 02:00 EET, older than 1 "
                "hour; see to its feed",
            ],
        ),
        (
            2,
            [
                "the re-read of 2026-03-10 did not show 2 events that the store holds for it; run the date again, and "
                "ask Ropo if it stays so",
                "2 drain polls that may have taken what matters here are in doubt, not yet recovered; the drain "
                "re-reads their dates by itself, what it cannot prove must be accepted with a note",
                "2 drain polls were left open by a process that died; the next drain judges them",
                "2 rows of profile default wait in quarantine; replay them with a newer parser or dismiss them with a "
                "note",
                "2 pages of profile default are not parsed yet; replay them",
                "the newest change of the ledger (connection erp_ledger) is of 2026-03-09 02:00 EET, older than 2 "
                "hours; see to its feed",
            ],
        ),
    ],
)
def test_what_is_not_known_is_worded_for_one_and_for_several(world: World, number: int, texts: list[str]) -> None:
    ledger = msgspec.structs.replace(world.profile.ledger, max_age_hours=number)
    profile = msgspec.structs.replace(world.profile, ledger=ledger)
    known = StoreKnowledge(
        has_reread=True, reread_outcome="landed", is_cut=False, completeness=None, absent=number, is_judged=True,
        recovered=0, is_after_day_end=True, newest_empty=at("2026-03-11 03:00"), doubts=number, left_open=number,
        quarantined=number, unparsed=number, events_cutoff=None,
        absent_ids="absent", doubt_ids="doubt", left_open_ids="open", quarantined_ids="row", unparsed_ids="page",
    )  # fmt: skip
    stale = LedgerKnowledge(is_empty=False, newest_change=at("2026-03-09 00:00"))
    missing = missing_knowledge(profile, DAY, known, stale, at("2026-03-11 03:00"), scope="date")
    assert [reason.text for reason in missing] == texts
    assert [reason.about for reason in missing] == ["absent", "doubt", "open", "row", "page", None]


@pytest.mark.parametrize("scope", ["date", "full"])
def test_incomplete_a_page_whose_process_ended_before_its_events_were_stored(world: World, scope: str) -> None:
    _matched(world)
    reread = world.know_all()
    died = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
    poll_id = world.poll("drain", "landed", opened_at=died, closed_at=died)
    world.store(
        "INSERT INTO ropo.status_page (poll_id, body, sha256, received_at, complete) VALUES (%s, 'x', 'x', %s, true)",
        (poll_id, died),
    )
    assert _words(world, reread_poll_id=reread, scope=scope) == ("incomplete", ["pages_unparsed"])
