"""Before breaks are recorded, the dearest of them are asked about again, by invoice number."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.reconciliation.categories import CATEGORIES, MATCHED
from include.reconciliation.decisions import accept_breaks
from include.reconciliation.recorded import read_recorded
from include.status_store.database import connect
from include.status_store.source import PollInDoubtError, PollRefusedError, PollUnsentError
from tests.include.reconciliation.asking import KnowingSource, asking, payment
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from include.reconciliation.recorded import Recorded
    from include.status_store.source import Answer
    from tests.include.reconciliation.world import World

# The grace of DAY's differences is over.
OVER = at("2026-03-13 00:00")


def _behind_ropo(world: World, *billnums: str, paid: str = "100") -> None:
    """Invoices that the ledger has as paid, and that Ropo One has only messaged about."""
    for billnum in billnums:
        world.comment(billnum, "98")
        world.row(billnum, "paid", paid=paid, total=paid)


def _reconcile(world: World, source: KnowingSource, **settings: Any) -> Recorded:
    """Reconcile without a grace: nobody can say when the ledger's payments were made."""
    profile = msgspec.structs.replace(world.profile, grace_business_days=0, **settings)
    with asking(world, source, profile=profile) as inquiries:
        return world.reconcile(reread_poll_id=world.know_all(), now=OVER, inquiries=inquiries, profile=profile)


def test_what_the_answers_bring_is_stored_and_compared_before_anything_is_recorded(world: World) -> None:
    _behind_ropo(world, "1", "2")
    source = KnowingSource(payment("1", "100"))

    result = _reconcile(world, source)

    assert source.asked == ["1", "2"]
    assert (result.verdict, result.matched, result.breaks) == ("breaks", 1, 1)
    assert (result.second_opinions_asked, result.second_opinions_cleared) == (2, 1)
    assert world.verdicts() == ["breaks"]
    columns = "second_opinions_asked, second_opinions_cleared, second_opinions_note"
    assert world.store(f"SELECT {columns} FROM ropo.reconciliation") == [(2, 1, None)]
    assert world.store("SELECT source FROM ropo.status_event WHERE statusid = 'P91'") == [("billnum",)]
    assert world.store("SELECT outcome FROM ropo.status_poll WHERE kind = 'billnum' ORDER BY 1") == [
        ("empty",),
        ("landed",),
    ]
    assert world.store("SELECT billnum FROM ropo.reconciliation_break") == [("2",)]
    with connect(world.store_dsn) as store, store.cursor() as cursor:
        lines = list(read_recorded(cursor, result.reconciliation_id).lines())
    assert "  second opinions: asked about 2 breaks again, 1 of them cleared" in lines


@pytest.mark.parametrize("blank", ["\N{NO-BREAK SPACE}", "\t"])
def test_a_number_of_blanks_alone_is_not_asked_about_and_holds_up_no_other(world: World, blank: str) -> None:
    world.row(blank, "paid", paid="900", total="900", jobid=None, sent_at=at("2026-03-10 08:00"))
    _behind_ropo(world, "1")
    source = KnowingSource(payment("1", "100"), failing={blank: ValueError("billnum: expected an invoice number")})

    result = _reconcile(world, source)

    assert source.asked == ["1"]
    assert (result.matched, result.breaks) == (1, 1)


def test_only_breaks_are_asked_about_and_the_dearest_first(world: World) -> None:
    _behind_ropo(world, "cheap", paid="5")
    _behind_ropo(world, "dear", paid="900")
    _behind_ropo(world, "middle", paid="50")
    world.payment("right", "100")
    world.row("right", "paid", paid="100")
    world.comment("twice", "98")
    world.row("twice")
    world.row("twice")
    source = KnowingSource()

    result = _reconcile(world, source, second_opinions=2)

    assert source.asked == ["dear", "middle"]
    assert (result.second_opinions_asked, result.second_opinions_cleared, result.breaks) == (2, 0, 4)


def test_it_is_asked_where_the_answer_can_change_the_result_and_nowhere_else(world: World) -> None:
    """What the ledger's rows, or a row in quarantine, decide alone stays as it is, whatever Ropo One says."""
    world.comment("ask: conflict", "150")
    world.row("ask: conflict", "paid", paid="100")
    world.payment("ask: behind", "100")
    world.row("ask: behind")
    _behind_ropo(world, "ask: ahead")
    world.payment("ask: amounts", "98")
    world.payment("ask: amounts", "2", kind="8")
    world.row("ask: amounts", paid="98", credited="2")
    world.comment("ask: code", "66")
    world.row("ask: code")
    world.payment("payment's type", "5", kind="77")
    world.row("payment's type")
    world.payment("ask: no amount", None)
    world.row("ask: no amount")
    world.payment(None, None, jobid="J9")
    world.quarantine(b'{"billnum": "quarantine"}', at("2026-03-10 10:00"))
    world.comment("not in the ledger", "98")
    world.comment("ask: not in the ledger, jobid unknown", "98", jobid=None)
    for billnum, discount in (("amounts of the ledger", "0"), ("ask: its discounts unknown", None)):
        world.comment(billnum, "98")
        world.row(billnum, open="130", discount=discount)
    world.comment("two rows", "98", jobid="J1")
    world.row("of another number", jobid="J1")
    world.row("two rows", jobid=None)
    source = KnowingSource()

    assert set(_reconcile(world, source).categories) == set(CATEGORIES) - {
        MATCHED, "missing_in_ropo", "duplicate_in_ledger"
    }  # fmt: skip
    assert sorted(source.asked) == [
        "ask: ahead",
        "ask: amounts",
        "ask: behind",
        "ask: code",
        "ask: conflict",
        "ask: its discounts unknown",
        "ask: no amount",
        "ask: not in the ledger, jobid unknown",
    ]


HOUR = datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    ("hours", "columns", "asked"),
    [
        (11, {}, []),
        (13, {}, ["1"]),
        (1, {"profile": "other"}, ["1"]),
        (1, {"kind": "date"}, ["1"]),
        (1, {"outcome": "refused"}, ["1"]),
        (1, {"outcome": "landed"}, []),
    ],
)
def test_a_number_is_asked_about_unless_it_was_answered_within_half_a_day(
    world: World, hours: int, columns: dict[str, str], asked: list[str]
) -> None:
    _behind_ropo(world, "1")
    moment = datetime.datetime.now(datetime.UTC) - hours * HOUR
    poll: dict[str, Any] = {
        "kind": "billnum",
        "outcome": "empty",
        "filter_value": "1",
        "opened_at": moment,
        "closed_at": moment,
    }
    world.poll(**poll | columns)
    # The newest answer counts.
    world.poll(**poll | {"opened_at": moment - 240 * HOUR, "closed_at": moment - 240 * HOUR})
    source = KnowingSource()
    _reconcile(world, source)
    assert source.asked == asked


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ("times_seen = times_seen", []),
        ("profile = 'other'", ["1"]),
        ("category = 'status_conflict'", ["1"]),
        ("invoice_key = 'b:9'", ["1"]),
        ("state = 'resolved', resolved_at = last_seen", ["1"]),
    ],
)
def test_a_week_is_waited_for_where_this_very_break_stands_open(world: World, change: str, asked: list[str]) -> None:
    _behind_ropo(world, "1")
    profile = msgspec.structs.replace(world.profile, grace_business_days=0)
    world.reconcile(reread_poll_id=world.know_all(), now=OVER, profile=profile)
    rest = "timezone, medium_amount, high_amount, medium_age_days, high_age_days"
    world.store(f"INSERT INTO ropo.break_policy (profile, {rest}) SELECT 'other', {rest} FROM ropo.break_policy")
    world.store(f"UPDATE ropo.reconciliation_break SET {change}")
    moment = datetime.datetime.now(datetime.UTC) - 13 * HOUR
    world.poll("billnum", "empty", filter_value="1", opened_at=moment, closed_at=moment)
    source = KnowingSource()
    _reconcile(world, source)
    assert source.asked == asked


def test_what_nobody_asked_about_goes_before_what_is_dearer(world: World) -> None:
    _behind_ropo(world, "dear", paid="900")
    _behind_ropo(world, "cheap", paid="5")
    long_ago = datetime.datetime.now(datetime.UTC) - 240 * HOUR
    world.poll("billnum", "empty", filter_value="dear", opened_at=long_ago, closed_at=long_ago)
    source = KnowingSource()
    _reconcile(world, source, second_opinions=1)
    assert source.asked == ["cheap"]


def test_the_dearest_is_that_of_which_most_is_at_stake(world: World) -> None:
    world.payment("differs by 10", "900")
    world.row("differs by 10", total="1000", paid="890")
    _behind_ropo(world, "paid 30", paid="30")
    for billnum, columns in (
        ("open 45", {"credited": "55"}),
        ("open 60, as reckoned", {"credited": "40", "open": None}),
    ):
        world.comment(billnum, "150")
        world.row(billnum, **columns)
    # Of several invoices of one number the dearest counts.
    for jobid, total in (("J1", "5"), ("J2", "50")):
        world.row("two of 50 and 5", total=total, jobid=jobid, sent_at=at("2026-03-10 08:00"))
    source = KnowingSource()
    _reconcile(world, source, first_event_days=1)
    assert source.asked == ["open 60, as reckoned", "two of 50 and 5", "open 45", "paid 30", "differs by 10"]


def test_what_is_accepted_is_not_asked_about(world: World) -> None:
    _behind_ropo(world, "1")
    profile = msgspec.structs.replace(world.profile, grace_business_days=0)
    world.reconcile(reread_poll_id=world.know_all(), now=OVER, profile=profile)
    with connect(world.store_dsn) as store, store.cursor() as cursor:
        accept_breaks(cursor, [1], by="Anna", note="known")
    source = KnowingSource()
    assert _reconcile(world, source).accepted == 1
    assert source.asked == []


def test_nothing_is_asked_within_the_grace_nor_where_the_profile_wants_none(world: World) -> None:
    _behind_ropo(world, "1")
    source = KnowingSource(payment("1", "100"))
    with asking(world, source) as inquiries:
        assert world.reconcile(reread_poll_id=world.know_all(), inquiries=inquiries).verdict == "pending"
    none = msgspec.structs.replace(world.profile, second_opinions=0, grace_business_days=0)
    with asking(world, source, profile=none) as inquiries:
        assert world.reconcile(profile=none, now=OVER, inquiries=inquiries).second_opinions_asked == 0
    # Nor where the run has asked about as many as it may.
    with asking(world, source, limit=0) as inquiries:
        assert world.reconcile(now=OVER, inquiries=inquiries).breaks == 1
    assert source.asked == []


def test_a_break_is_asked_about_once_in_half_a_day_and_once_a_week_while_it_stands(world: World) -> None:
    _behind_ropo(world, "1")
    source = KnowingSource()

    def ask_after(hours: int) -> int:
        world.store(
            "UPDATE ropo.status_poll SET opened_at = opened_at - make_interval(hours => %s) WHERE kind = 'billnum'",
            (hours,),
        )
        before = len(source.asked)
        _reconcile(world, source)
        return len(source.asked) - before

    assert [ask_after(hours) for hours in (0, 11, 2, 24 * 6, 24)] == [1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    "error",
    [
        PollUnsentError("the token is refused"),
        PollInDoubtError("timeout"),
        PollRefusedError("forbidden", http_status=403),
    ],
)
def test_where_ropo_one_fails_the_breaks_stay_and_the_reconciliation_says_so(
    world: World, error: BaseException
) -> None:
    _behind_ropo(world, "1", "2", "3")
    source = KnowingSource(payment("1", "100"), failing={"2": error})

    result = _reconcile(world, source)

    assert "3" not in source.asked
    assert (result.second_opinions_asked, result.second_opinions_cleared, result.breaks) == (1, 1, 2)
    [(note,)] = world.store("SELECT second_opinions_note FROM ropo.reconciliation")
    assert note == f"1 of 3 breaks were asked about: {error}"


def test_a_number_that_is_refused_does_not_stop_the_others(world: World) -> None:
    _behind_ropo(world, "1", "2")
    source = KnowingSource(payment("2", "100"), failing={"1": PollRefusedError("no such", http_status=404)})
    result = _reconcile(world, source)
    assert (source.asked, result.second_opinions_asked, result.second_opinions_cleared) == (["1", "2"], 1, 1)
    note = "1 of 2 breaks were asked about: Ropo One refuses the other numbers"
    assert world.store("SELECT second_opinions_note FROM ropo.reconciliation") == [(note,)]


def test_a_break_is_cleared_by_other_content_too(world: World) -> None:
    world.payment("1", "60", statusid="P91")
    world.row("1", "paid", paid="100")
    result = _reconcile(world, KnowingSource(payment("1", "100", statusid="P91")))
    assert (result.verdict, result.second_opinions_asked, result.second_opinions_cleared) == ("reconciled", 1, 1)


def test_a_number_is_not_cleared_while_one_of_its_invoices_differs(world: World) -> None:
    for jobid in ("J1", "J2"):
        world.row("1", "paid", paid="100", jobid=jobid, sent_at=at("2026-03-10 08:00"))
    source = KnowingSource(payment("1", "100"))
    result = _reconcile(world, source, first_event_days=1)
    assert (source.asked, result.matched, result.breaks) == (["1"], 1, 1)
    assert (result.second_opinions_asked, result.second_opinions_cleared) == (1, 0)


def test_what_the_ledger_mended_meanwhile_was_not_cleared_by_the_answer(world: World) -> None:
    _behind_ropo(world, "1")

    class Slow(KnowingSource):
        def poll(self, **filters: Any) -> Answer:
            world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = total")
            return super().poll(**filters)

    result = _reconcile(world, Slow())
    assert (result.verdict, result.second_opinions_asked, result.second_opinions_cleared) == ("reconciled", 1, 0)


def test_a_recheck_asks_before_it_turns_a_pending_date_red(world: World) -> None:
    _behind_ropo(world, "1", "2")
    world.reconcile(reread_poll_id=world.know_all())
    source = KnowingSource(payment("1", "100"), payment("2", "100"))
    with asking(world, source, limit=1) as inquiries:
        found = world.recheck(DAY.replace(day=12), now=OVER, inquiries=inquiries)
    assert source.asked == ["1"]
    changed, of_another_date = found.changed
    assert of_another_date.reconciliation.second_opinions_asked == 0
    assert (changed.before, changed.reconciliation.verdict) == ("pending", "breaks")
    assert (changed.reconciliation.second_opinions_asked, changed.reconciliation.second_opinions_cleared) == (1, 1)
