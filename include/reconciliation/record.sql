-- A reconciliation, and that its breaks wait to be worked in. What it shows is the moment at which its transaction began.
WITH recorded AS (
    INSERT INTO ropo.reconciliation (
        profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope,
        recovered, absent_from_reread, reasons, categories, totals, unmapped, status_map_version, reread_poll_id,
        events_cutoff, ledger_cutoff, ledger_newest_change, dag_id, run_id, started_at, finished_at, view_at,
        second_opinions_asked, second_opinions_cleared, second_opinions_note
    ) VALUES (
        %(profile)s, %(business_date)s, %(scope)s, %(verdict)s, %(population)s, %(matched)s, %(pending)s, %(breaks)s,
        %(accepted)s, %(out_of_scope)s, %(recovered)s, %(absent_from_reread)s, %(reasons)s, %(categories)s, %(totals)s,
        %(unmapped)s, %(status_map_version)s, %(reread_poll_id)s, %(events_cutoff)s, %(ledger_cutoff)s,
        %(ledger_newest_change)s, %(dag_id)s, %(run_id)s, %(started_at)s, clock_timestamp(), transaction_timestamp(),
        %(second_opinions_asked)s, %(second_opinions_cleared)s, %(second_opinions_note)s
    )
    RETURNING reconciliation_id, profile
), named AS (
    SELECT invoice_key, is_out_of_scope, invoice_key AS name, NULL AS former_jobid
    FROM part
    WHERE business_date = %(business_date)s AND is_out_of_scope
    UNION ALL
    SELECT invoice_key, part.is_out_of_scope, former_name.former_key, former_name.jobid
    FROM part
    JOIN former_name USING (invoice_key)
    WHERE part.business_date = %(business_date)s
), broken AS MATERIALIZED (
    SELECT DISTINCT named.invoice_key, named.is_out_of_scope, named.name
    FROM named
    JOIN ropo.reconciliation_break AS known ON known.profile = %(profile)s AND known.invoice_key = named.name
    WHERE known.state <> 'resolved' AND (named.name = named.invoice_key OR known.jobid IS NOT DISTINCT FROM named.former_jobid)
), waiting AS (
    INSERT INTO ropo.break_backlog (reconciliation_id, profile, out_of_scope, start_date, renamed)
    SELECT
        reconciliation_id,
        profile,
        ARRAY(SELECT DISTINCT name FROM broken WHERE is_out_of_scope),
        %(start_date)s,
        (SELECT jsonb_agg(jsonb_build_array(name, invoice_key)) FROM broken WHERE NOT is_out_of_scope)
    FROM recorded
)
SELECT reconciliation_id FROM recorded
