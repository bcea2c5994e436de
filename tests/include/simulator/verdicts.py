"""The design's rules of a state and its categories once more, in plain Python, over the demo's rows and ledger."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import yaml

from include.simulator.codes import STATUS_MAP_PATH

STAGES = ("invoiced", "due", "reminded", "in_collection")
PAYMENTS = ("unpaid", "partly_paid", "paid")


def categories(rows: list[dict[str, Any]], ledger: list[dict[str, Any]]) -> dict[str, str]:
    """Category by billnum; the ledger's rows are dicts by the contract's columns."""
    status_map = yaml.safe_load(STATUS_MAP_PATH.read_text())
    by_billnum, billnum_of_job = defaultdict(list), {}
    for row in rows:
        by_billnum[row["billnum"]].append(row)
        billnum_of_job[str(row["jobid"])] = row["billnum"]
    owned, crossed = defaultdict(list), set()
    for entry in ledger:
        owner = billnum_of_job.get(entry["jobid"], entry["billnum"])
        owned[owner].append(entry)
        if owner != entry["billnum"]:
            crossed |= {owner, entry["billnum"]}
    return {
        billnum: "ambiguous_match" if billnum in crossed else _category(by_billnum[billnum], owned[billnum], status_map)
        for billnum in by_billnum.keys() | owned.keys()
    }


def _category(rows: list[dict[str, Any]], entries: list[dict[str, Any]], status_map: dict[str, Any]) -> str:
    if len(entries) > 1:
        return "duplicate_in_ledger"
    if not entries:
        return "missing_in_ledger"
    entry = entries[0]
    word = status_map["ledger"][entry["status"]]
    if not rows:
        spoken = entry["paid"] or word.get("payment") == "paid" or word.get("end")
        return "missing_in_ropo" if spoken and entry["payments_by_ropo"] else "matched"
    ropo = _ropo_state(rows, entry["total"], status_map["ropo"])
    if ropo["unknown"]:
        return "unknown_status"
    received = entry["paid"] + entry["discount"]
    adds_up = entry["total"] == received + entry["credited"] + entry["open"]
    if not adds_up or (word.get("payment") == "paid" and entry["open"] > 0):
        return "ledger_inconsistent"
    if ropo["end"] != word.get("end"):
        return "status_conflict"
    if entry["total"] <= 0:
        return "matched"
    payment = word.get("payment") or _by_sums(received, entry["total"])
    return _further(ropo, payment, word.get("stage"), entry)


def _further(ropo: dict[str, Any], payment: str, stage: str | None, entry: dict[str, Any]) -> str:
    order = (PAYMENTS.index(ropo["payment"]) - PAYMENTS.index(payment)) if entry["payments_by_ropo"] else 0
    settled = payment == "paid" or ropo["end"]
    if order == 0 and not settled and stage and ropo["stage"]:
        order = STAGES.index(ropo["stage"]) - STAGES.index(stage)
    if order:
        return "ledger_behind" if order > 0 else "ledger_ahead"
    same = (ropo["paid"], ropo["discount"]) == (entry["paid"], entry["discount"])
    return "matched" if same or not entry["payments_by_ropo"] else "amount_mismatch"


def _by_sums(received: Decimal, total: Decimal) -> str:
    return "paid" if received >= total > 0 else "partly_paid" if received > 0 else "unpaid"


def _ropo_state(rows: list[dict[str, Any]], total: Decimal, status_map: dict[str, Any]) -> dict[str, Any]:
    sums = {"paid": Decimal(0), "discount": Decimal(0)}
    negative, unknown, parts = False, False, {"payment": None, "stage": None, "end": None}
    for row in sorted(rows, key=lambda row: (row["statustime"], int(row["statusid"][1:]))):
        if row["statustype"] == "payment":
            amount = Decimal(row["amount"])
            sums[status_map["payments"][row["statustext"]]] += amount
            negative |= amount < 0
        else:
            meaning = status_map["comments"].get(row["statuscode"])
            parts |= meaning or {}
            unknown = meaning is None or (unknown and not meaning)
    by_sums = _by_sums(sums["paid"] + sums["discount"], total)
    payment = "paid" if parts["payment"] == "paid" and not negative else by_sums
    return sums | parts | {"payment": payment, "unknown": unknown}
