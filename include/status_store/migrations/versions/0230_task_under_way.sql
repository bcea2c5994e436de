-- A task writes its row when it begins and removes it when it ends, whichever way. A row that is left is of a process that
-- was killed: Airflow calls no callback then.
CREATE TABLE ropo.task_under_way (
    profile text NOT NULL,
    task text NOT NULL,             -- as the subject of ropo.alert: its DAG's id, a space, its own without its group's
    run_id text NOT NULL,           -- Airflow's
    business_date date,             -- where the failure of each date is told
    until timestamptz NOT NULL,     -- the task is over by then, if its process lives
    PRIMARY KEY (profile, task, run_id)
);
