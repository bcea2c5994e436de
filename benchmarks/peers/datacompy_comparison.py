"""`datacompy` on pandas: both tables read from PostgreSQL, the states made in pandas, then its comparison."""

from __future__ import annotations

import datacompy
import pandas as pd
import sqlalchemy

from benchmarks.measured import Meter, task

EVENTS = """
SELECT jobid, statusid, statustype, statustime, statuscode, statustext, amount::float8 AS amount
FROM ropo.status_event
"""
LEDGER = "SELECT jobid, status = 'paid' AS is_paid, paid::float8 AS paid FROM ropo_ledger"


def states(events: pd.DataFrame) -> pd.DataFrame:
    comments = events[(events.statustype == "comment") & (events.statuscode != "98")]
    newest = comments.sort_values(["statustime", "statusid"]).drop_duplicates("jobid", keep="last")
    money = events[(events.statustype == "payment") & (events.statustext == "1")].groupby("jobid").amount.sum()
    ropo = newest[["jobid", "statuscode"]].merge(money.rename("paid"), how="outer", left_on="jobid", right_index=True)
    ropo["paid"] = ropo.paid.fillna(0.0)
    ropo["is_paid"] = (ropo.statuscode == "101") | (ropo.paid > 0)
    return ropo[["jobid", "is_paid", "paid"]]


def main() -> None:
    job = task()
    meter = Meter()
    engine = sqlalchemy.create_engine(job["dsn"].replace("postgresql:", "postgresql+psycopg2:", 1))
    with meter.work():
        ropo = states(pd.read_sql(EVENTS, engine))
        ledger = pd.read_sql(LEDGER, engine)
        compared = datacompy.PandasCompare(ropo, ledger, join_columns="jobid", abs_tol=0.001)
        differences = len(compared.all_mismatch()) + len(compared.df1_unq_rows) + len(compared.df2_unq_rows)
    meter.report(differences=differences)


if __name__ == "__main__":
    main()
