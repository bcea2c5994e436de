"""An invoice: both sides of it on one time line, its payments, its breaks, its raw rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, status
from fastapi.responses import Response

from include.config.status_map import load_status_map
from include.page_data.invoice import find_invoices, payment_sums, read_invoice
from include.reconciliation.categories import reason_in_words
from reconciliation_page.checking import CHECK_DAG_ID, FOR_CHECKERS, find_check, may_check, start_check
from reconciliation_page.page import PageOf
from reconciliation_page.stores import Reading
from reconciliation_page.words import BREAK_EVENTS, PAYMENT_WORDS

if TYPE_CHECKING:
    from include.page_data.breaks import Break
    from include.page_data.invoice import PaymentSum, Seen

router = APIRouter()

# As long as the store takes ids, and what stands before them. In the query, since browsers take `..` out of a path.
Key = Annotated[str, Query(pattern=r"^[bj]:[^\x00]+$", max_length=1002)]


@router.get("/invoices")
def search(
    page: PageOf, cursor: Reading, find: Annotated[str, Query(max_length=1000, pattern=r"^[^\x00]*$")] = ""
) -> Response:
    """Lead to the invoice that a number or jobid names; list them where it names several."""
    found = find_invoices(cursor, page.profile.name, find) if find.strip() else []
    if len(found) == 1:
        return page.go_to("invoice", key=found[0].invoice_key)
    return page.render("invoices.html", find=find.strip(), found=found)


@router.get("/invoices/{key:path}")
def earlier_address(page: PageOf, key: str) -> Response:
    """Lead from the address that an invoice had in earlier versions to its own."""
    return page.go_to("invoice", key=key)


@router.get("/invoice")
def invoice(
    page: PageOf,
    cursor: Reading,
    key: Key,
    is_checker: Annotated[bool, Depends(may_check)],
    run: Annotated[str | None, Query(pattern=r"^[^\x00]*$", max_length=250)] = None,
) -> Response:
    """Show an invoice.

    :param run: the run of ``ropo_invoice_check`` that was just triggered from here.
    """
    found = read_invoice(cursor, page.profile, key)
    # By another key now: its number was changed, or stands for jobs.
    if not found.is_known and (found.renumbered or find_invoices(cursor, page.profile.name, key[2:])):
        return page.go_to("invoices", find=key[2:])
    if not found.is_known:
        return page.render("invoices.html", status_code=404, find=key[2:], found=[])
    return page.render(
        "invoice.html",
        invoice=found,
        sums=payment_sums(found.events, load_status_map(page.profile.status_map)),
        kind_of=_kind_of,
        why=_why,
        break_events=BREAK_EVENTS,
        may_check=is_checker and found.billnum is not None,
        run=run,
        check=find_check(run, page.profile.name, found.billnum) if run and found.billnum else None,
        check_run=page.airflow_run(CHECK_DAG_ID, run),
        asked=next((each for each in found.inquiries if each.run_id == run), None) if run else None,
    )


@router.post("/invoice", dependencies=FOR_CHECKERS)
def check(page: PageOf, cursor: Reading, key: Key) -> Response:
    """Ask both sides again, by a run of ``ropo_invoice_check``."""
    found = read_invoice(cursor, page.profile, key)
    if not found.is_known or found.billnum is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such invoice, or it has no invoice number.")
    run_id = start_check(page.user, page.profile.name, found.billnum)
    return page.go_to("invoice", key=key, run=run_id)


def _why(found: Seen | Break) -> str:
    return reason_in_words(found.category, found.reason)


def _kind_of(each: PaymentSum) -> str:
    return PAYMENT_WORDS[each.kind] if each.kind else "not in the status map"
