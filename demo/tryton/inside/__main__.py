"""Serves requests, one a line of standard input, each with one line of answer on standard output; both are JSON.

A request is ``{"do": <name>, …}`` with the arguments of the function of that name; an answer is ``{"result": …}`` or
``{"error": <what Tryton or the function said>}``. Started by ``demo.tryton.client`` with Tryton's database in the
variable ``TRYTOND_DATABASE_URI``. Amounts are text with a decimal point, days are YYYY-MM-DD.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from demo.tryton.inside import invoices, payments
from demo.tryton.inside.books import set_up
from demo.tryton.inside.session import connect

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS: dict[str, Callable[..., Any]] = {
    "set_up": set_up,
    "create": invoices.create,
    "cancel": invoices.cancel,
    "credit": invoices.credit,
    "set_jobid": invoices.set_jobid,
    "list": invoices.listed,
    "pay": payments.pay,
    "reverse": payments.reverse,
    "receive": payments.receive,
    "group": payments.group,
}


def main() -> int:
    """Serve until standard input ends.

    :return: 0.
    """
    # Libraries may print; only answers belong on the pipe.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    connect()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": REQUESTS[request.pop("do")](**request)}
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer; the next request may be right
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
