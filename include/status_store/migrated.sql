-- At which migration the store is, and what it lacks of that which a dump brings back last: keys, and the triggers that keep
-- what is never to be changed.
SELECT
    version_num,
    ARRAY(
        SELECT 'the primary key of ropo.' || of_table
        FROM (VALUES
            ('0001', 'status_event'),
            ('0410', 'event_day')
        ) AS keyed (since, of_table)
        WHERE since <= version_num COLLATE "C" AND NOT EXISTS (
            SELECT FROM pg_constraint WHERE conrelid = to_regclass('ropo.' || of_table) AND contype = 'p'
        )
        UNION ALL
        SELECT 'the trigger ' || by_trigger || ' of ropo.' || of_table
        FROM (VALUES
            ('0020', 'text_erasure', 'text_erasure_is_append_only'),
            ('0050', 'reconciliation_break_event', 'reconciliation_break_event_is_append_only'),
            ('0050', 'incompleteness_acceptance', 'incompleteness_acceptance_is_append_only'),
            ('0050', 'period_sign_off', 'period_sign_off_is_kept'),
            ('0050', 'period_sign_off', 'period_sign_off_stays'),
            ('0050', 'period_sign_off_flag', 'period_sign_off_flag_is_append_only'),
            ('0080', 'status_poll', 'status_poll_is_never_deleted'),
            ('0280', 'reconciliation', 'reconciliation_is_never_deleted')
        ) AS kept (since, of_table, by_trigger)
        WHERE since <= version_num COLLATE "C" AND NOT EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = to_regclass('ropo.' || of_table) AND tgname = by_trigger
        )
    ) AS missing
FROM ropo.alembic_version
