"""What of an item finance would call its result: where one of these columns differs, the result is another one."""

from __future__ import annotations

# How an invoice is found and what explains it (its names, the hint, the days) are none of it. Nor is that a break is
# accepted: who asks decides whether that counts.
_RESULT = (
    "{item}.category", "{item}.reason", "{item}.pending_until IS NULL", "{item}.currency", "{item}.further",
    "{item}.ropo_status", "{item}.ropo_paid", "{item}.ropo_discount",
    "{item}.ledger_status", "{item}.ledger_total", "{item}.ledger_paid", "{item}.ledger_discount",
    "{item}.ledger_credited", "{item}.ledger_open",
)  # fmt: skip


def other_result(one: str, other: str) -> str:
    """Return SQL that tells whether two items have different results.

    :param one: and ``other``: their aliases; rows of ``ropo.reconciliation_item`` or of what is recorded as such.
    """
    results = (", ".join(column.format(item=item) for column in _RESULT) for item in (one, other))
    return "({}) IS DISTINCT FROM ({})".format(*results)
