"""
### See that alerts arrive

By hand, with a profile: sends an alert that says that it is a trial, to whom the profile's `alerts` name, from where
the other tasks run. Trigger it once for each profile before going live, and after each change of its `alerts`, of their
connection or of the network; then see whether it arrived, and whether its links lead to Airflow. It asks neither the
store nor Ropo One, and no reminder follows.

**Backfill:** none.

**When it is red:** nothing was sent, and no real alert of this profile would be. The line with the error in the log of
**send** says why: `alerts` name nobody, or a notifier that cannot be made; its connection is missing (`smtp_default`)
or has no `from_email` in its extra; the mail server is not reached, refuses the login, or knows none of the addresses.
Mend it and trigger it again.
"""

from __future__ import annotations

import datetime

from airflow.sdk import DAG, Param

from include.config.profiles import load_profiles
from ropo_one.operators.trial import TrialAlertOperator

PROFILES = [profile.name for profile in load_profiles()]

with DAG(
    dag_id="ropo_alert_trial",
    doc_md=__doc__,
    schedule=None,
    params={"profile": Param(PROFILES[0], type="string", enum=PROFILES, title="Profile")},
    default_args={"retries": 0, "execution_timeout": datetime.timedelta(minutes=10)},
    tags=["ropo-one", "alerts"],
) as dag:
    TrialAlertOperator(task_id="send", profile="{{ params.profile }}")
