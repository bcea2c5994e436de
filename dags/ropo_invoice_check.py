"""
### Check one invoice

By hand, with an invoice number: asks Ropo One for the invoice's changes (`billnum`), keeps what is new, and prints the
invoice's history, the ledger's view of it and what the comparison says, in the log of **show**: of what the store has
already, where Ropo One could not be asked. **outcome** is red then, and with it the run.

**Backfill:** none.

**When it is red:** the line with the error in the failed task's log says why; trigger it again. Nothing can be lost: a
poll by invoice number may be repeated.
"""

from __future__ import annotations

import datetime

from airflow.sdk import DAG, Param, TriggerRule

from include.config.profiles import load_profiles
from include.status_store.fields import LONGEST_ID
from ropo_one.operators.polling import RopoInvoiceStatusOperator
from ropo_one.operators.reconciliation import InvoiceHistoryOperator
from ropo_one.outcome import end_with_outcome

PROFILES = [profile.name for profile in load_profiles()]

with DAG(
    dag_id="ropo_invoice_check",
    doc_md=__doc__,
    schedule=None,
    params={
        "billnum": Param(
            type="string",
            title="Invoice number",
            description="In the sender's books.",
            minLength=1,
            maxLength=LONGEST_ID,
        ),
        "profile": Param(PROFILES[0], type="string", enum=PROFILES, title="Profile"),
    },
    default_args={"retries": 0, "execution_timeout": datetime.timedelta(minutes=30)},
    tags=["ropo-one", "invoice"],
) as dag:
    ask = RopoInvoiceStatusOperator(
        task_id="ask", profile="{{ params.profile }}", billnum="{{ params.billnum }}", pool="ropo_one"
    )
    show = InvoiceHistoryOperator(
        task_id="show",
        profile="{{ params.profile }}",
        billnum="{{ params.billnum }}",
        pool="erp_ledger",
        # Most wanted where Ropo One is away.
        trigger_rule=TriggerRule.ALL_DONE,
    )
    ask >> show
    end_with_outcome(dag)
