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
), waiting AS (
    INSERT INTO ropo.break_backlog (reconciliation_id, profile, out_of_scope, start_date)
    SELECT
        reconciliation_id,
        profile,
        ARRAY(
            SELECT DISTINCT known.invoice_key
            FROM part
            JOIN ropo.reconciliation_break AS known USING (invoice_key)
            WHERE part.business_date = %(business_date)s AND part.is_out_of_scope
                AND known.profile = %(profile)s AND known.state <> 'resolved'
        ),
        %(start_date)s
    FROM recorded
)
SELECT reconciliation_id FROM recorded
