"""A re-read of a date and the question for an invoice, as tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.status_store.source import PollRefusedError
from ropo_one.exceptions import (
    RopoRequestRefusedError,
    RopoServerError,
)
from ropo_one.operators.polling import (
    RopoInvoiceStatusOperator,
)
from tests.include.status_store.scripted_source import row
from tests.plugins.ropo_one.operators.test_polling import _connections, context, journal, reread
from tests.plugins.ropo_one.scripted_server import answer, page

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from tests.plugins.ropo_one.scripted_server import ScriptedServer

__all__ = ["_connections"]


def test_a_reread_that_gets_no_answer_names_its_profile_its_date_and_what_to_do(server: ScriptedServer) -> None:
    server.polls_will_be(*[answer(500)] * 3)
    told = (
        r"^Profile default: Connection ropo_one_default: .* answered HTTP 500\. 2026-11-13 could not be re-read: mend "
        r"that, or wait until it is over, then run the date again$"
    )
    with pytest.raises(RopoServerError, match=told) as failed:
        reread("2026-11-13").execute(context())
    assert failed.value.http_status == 500


def test_an_invoice_that_could_not_be_asked_about_is_named_with_its_profile(server: ScriptedServer) -> None:
    server.polls_will_be(answer(404))
    ask = RopoInvoiceStatusOperator(task_id="ask", profile="default", billnum="10001")
    told = r"^Profile default: Connection ropo_one_default: .*HTTP 404\. The invoice could not be asked about: .*again$"
    with pytest.raises(RopoRequestRefusedError, match=told):
        ask.execute(context())


def test_a_reread_that_is_asked_to_wait_says_for_how_long(server: ScriptedServer, store: Connection) -> None:
    server.polls_will_be(answer(429, Retry_After="7200"))

    with pytest.raises(PollRefusedError, match=r"HTTP 429.*; it may be asked again in 7200 s\. 2026-11-13 could"):
        reread("2026-11-13").execute(context())


def test_the_business_date_of_the_run_is_read_again(server: ScriptedServer, store: Connection) -> None:
    server.polls_will_be(page(row(1)))

    summary = reread().execute(context("2026-11-13"))

    assert [poll.query for poll in server.polls] == [{"date": "2026-11-13"}]
    assert journal(store) == [("date", "2026-11-13", "landed")]
    assert (summary["rows"], summary["new"], summary["absent"]) == (1, 1, 0)
    assert all(isinstance(value, int) for value in summary.values())


@pytest.mark.parametrize(("bad", "rows"), [(1, "1 row"), (2, "2 rows")])
def test_a_reread_says_how_many_of_its_rows_went_to_quarantine(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str], bad: int, rows: str
) -> None:
    server.polls_will_be(page(row(1), *[{"statusid": f"no date {number}"} for number in range(bad)]))

    assert reread("2026-11-13").execute(context())["quarantined"] == bad

    told = f"{rows} of the answer for 2026-11-13 could not be parsed and went to quarantine; `python -m "
    assert f"Profile default: {told}include.status_store quarantine`" in capsys.readouterr().out


def test_a_date_of_its_own_is_read_again(server: ScriptedServer) -> None:
    reread("2026-10-25").execute(context("2026-11-13"))
    assert [poll.query for poll in server.polls] == [{"date": "2026-10-25"}]


@pytest.mark.parametrize("date", ["", "None", "20261025", "2026-10-5", "2026-W43-7"])
def test_a_bad_date_is_refused_before_any_request(server: ScriptedServer, store: Connection, date: str) -> None:
    with pytest.raises(ValueError, match="date: expected YYYY-MM-DD"):
        reread(date).execute(context())
    assert (server.requests, journal(store)) == ([], [])


def test_a_run_without_a_business_date_asks_nothing(server: ScriptedServer) -> None:
    with pytest.raises(AirflowFailException, match="no business date"):
        reread().execute(context())
    assert server.requests == []


def test_an_invoice_is_asked_for(server: ScriptedServer, store: Connection) -> None:
    server.polls_will_be(page(row(1)))
    ask = RopoInvoiceStatusOperator(task_id="ask", profile="default", billnum=" 10001 ")
    assert ask.execute(context())["new"] == 1
    assert [poll.query for poll in server.polls] == [{"billnum": "10001"}]
    assert journal(store) == [("billnum", "10001", "landed")]


@pytest.mark.parametrize("billnum", ["", "  "])
def test_an_empty_invoice_number_is_refused_before_any_request(
    server: ScriptedServer, store: Connection, billnum: str
) -> None:
    with pytest.raises(ValueError, match="billnum: expected an invoice number"):
        RopoInvoiceStatusOperator(task_id="ask", profile="default", billnum=billnum).execute(context())
    assert (server.requests, journal(store)) == ([], [])
