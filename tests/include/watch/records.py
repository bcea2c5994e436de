"""Rows of reconciliations as the comparison records them, and messages as a test collects them."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from include.watch.topics import tell

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.status_store.session import Session
    from include.watch.alert import Alert
    from include.watch.topics import Topic

BASE_URL = "https://airflow.example.com"
TOTALS = {
    "currencies": [
        {"currency": "EUR", "invoices": 9, "ropo_paid": "1234.50", "ropo_discount": "1.00",
         "ledger_paid": "1134.50", "ledger_discount": "1.00"},
        {"currency": "SEK", "invoices": 1, "ropo_paid": "10.005", "ropo_discount": "0",
         "ledger_paid": "0", "ledger_discount": "0"},
    ]
}  # fmt: skip


def record(
    store: Connection,
    date: datetime.date,
    verdict: str = "reconciled",
    *,
    breaks: tuple[dict[str, Any], ...] = (),
    break_count: int | None = None,
    reasons: tuple[str, ...] = (),
    scope: str = "date",
    started_at: datetime.datetime | None = None,
    run_id: str = "run 1",
    profile: str = "default",
) -> int:
    """Record a reconciliation of a profile with these items: breaking ones, pending ones and matched ones.

    :param break_count: where the count matters and not the items.
    """
    pending = sum(bool(item.get("pending_until")) for item in breaks)
    breaking = [item for item in breaks if not item.get("pending_until") and item["category"] != "matched"]
    count = len(breaking) if break_count is None else break_count
    categories: dict[str, dict[str, int]] = {"matched": {"matched": 5}}
    for item in breaking:
        buckets = categories.setdefault(item["category"], {"breaks": 0})
        buckets["breaks"] += 1
    if break_count is not None:
        categories["missing_in_ledger"] = {"breaks": break_count}
    started_at = started_at or datetime.datetime.combine(
        date + datetime.timedelta(days=1), datetime.time(2), tzinfo=datetime.UTC
    )
    with store.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ropo.reconciliation (
                profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope,
                reasons, categories, totals, unmapped, status_map_version, ledger_cutoff, dag_id, run_id,
                started_at, finished_at, view_at
            ) VALUES (
                %s, %s, %s, %s, %s, 5, %s, %s, 0, 0,
                %s, %s, %s, '[]', 'v1', %s, 'ropo_reconciliation', %s, %s, %s, %s
            ) RETURNING reconciliation_id
            """,
            (
                profile, date, scope, verdict, 5 + pending + count, pending, count,
                json.dumps([{"word": word, "text": f"because of {word}"} for word in reasons]),
                json.dumps(categories), json.dumps(TOTALS), started_at, run_id,
                started_at, started_at, started_at,
            ),
        )  # fmt: skip
        (reconciliation_id,) = cursor.fetchone() or (0,)
        for item in breaks:
            _item(cursor, reconciliation_id, profile, item)
    return int(reconciliation_id)


def _item(cursor: Any, reconciliation_id: int, profile: str, item: dict[str, Any]) -> None:
    values = {
        "billnum": None, "jobid": None, "reason": None, "currency": "EUR", "ropo_status": None, "ledger_status": None,
        "ropo_paid": None, "ledger_paid": None, "ledger_total": None, "pending_until": None, "hint": None,
        **item,
    }  # fmt: skip
    cursor.execute(
        """
        INSERT INTO ropo.reconciliation_item (
            reconciliation_id, invoice_key, profile, billnum, jobid, category, reason, grace_from, pending_until,
            ropo_status, ledger_status, event_count, ledger_row_count, currency, ropo_paid, ledger_paid, ledger_total,
            hint
        ) VALUES (
            %(reconciliation_id)s, %(key)s, %(profile)s, %(billnum)s, %(jobid)s, %(category)s, %(reason)s,
            CASE WHEN %(category)s <> 'matched' THEN now() END, %(pending_until)s, %(ropo_status)s, %(ledger_status)s,
            1, 1, %(currency)s, %(ropo_paid)s, %(ledger_paid)s, %(ledger_total)s, %(hint)s
        )
        """,
        {
            "key": f"b:{values['billnum'] or values['jobid']}",
            **values,
            "reconciliation_id": reconciliation_id,
            "profile": profile,
        },
    )


def stood_accepted(store: Connection, reconciliation_id: int) -> None:
    """What a reconciliation found stood accepted already when it was recorded."""
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation_item SET is_accepted = true WHERE reconciliation_id = %s", (reconciliation_id,)
        )
        cursor.execute(
            "UPDATE ropo.reconciliation SET verdict = 'reconciled', accepted = breaks, breaks = 0, "
            "categories = replace(categories::text, '\"breaks\"', '\"accepted\"')::jsonb, reasons = '[]' "
            "WHERE reconciliation_id = %s",
            (reconciliation_id,),
        )


def keep_break(
    store: Connection,
    reconciliation_id: int,
    invoice_key: str,
    category: str,
    state: str,
    amount: str = "1.00",
    *,
    currency: str = "EUR",
) -> None:
    """Keep a break in a state, shown by a reconciliation, of its profile."""
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.break_policy "
            "SELECT profile, 'Europe/Helsinki', 100, 1000, 3, 10 FROM ropo.reconciliation WHERE reconciliation_id = %s "
            "ON CONFLICT DO NOTHING",
            (reconciliation_id,),
        )
        cursor.execute(
            """
            INSERT INTO ropo.reconciliation_break (
                profile, invoice_key, category, state, business_date, currency, amount, evidence, first_seen, last_seen,
                times_seen, first_reconciliation_id, last_reconciliation_id,
                accepted_at, accepted_by, accepted_note, accepted_evidence, resolved_at
            )
            SELECT
                profile, %(key)s, %(category)s, %(state)s, business_date, %(currency)s, %(amount)s, '{}', started_at,
                started_at, 1, reconciliation_id, reconciliation_id,
                accepted.at, accepted.by, accepted.note, accepted.evidence,
                CASE %(state)s WHEN 'resolved' THEN started_at END
            FROM ropo.reconciliation
            LEFT JOIN (VALUES (now(), 'Anna', 'known', '{}'::jsonb)) AS accepted (at, by, note, evidence)
                ON %(state)s = 'accepted'
            WHERE reconciliation_id = %(reconciliation_id)s
            """,
            {
                "key": invoice_key,
                "category": category,
                "state": state,
                "amount": amount,
                "currency": currency,
                "reconciliation_id": reconciliation_id,
            },
        )


def broken(billnum: str, amount: str, category: str = "ledger_behind", **more: Any) -> dict[str, Any]:
    """An invoice that Ropo One says is paid and the ledger does not."""
    return {
        "billnum": billnum, "category": category, "reason": "payment", "ropo_status": "paid",
        "ledger_status": "unpaid", "ropo_paid": amount, "ledger_paid": "0", "ledger_total": amount, **more,
    }  # fmt: skip


def told(session: Session, topic: Topic) -> list[Alert]:
    """Tell a topic and return what was sent."""
    sent: list[Alert] = []
    tell(session, topic, sent.append, base_url=BASE_URL)
    return sent
