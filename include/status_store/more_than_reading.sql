-- What the role of this session may do beside reading the store, the worst first; no row where that is nothing. By its
-- own rights, or by those of a role that it is a member of, whether it inherits them or not.
WITH held AS MATERIALIZED (
    SELECT oid, rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
    FROM pg_roles
    WHERE pg_has_role(oid, 'MEMBER')
), asked AS (
    -- REFERENCES and TRIGGER have what somebody else writes wait for, or run, what the role has made.
    SELECT 'INSERT, UPDATE, REFERENCES' AS of_columns,
        'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'
            || CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN ', MAINTAIN' ELSE '' END
        AS of_tables
)
SELECT what
FROM (
    SELECT 1, 'may write the store'
    FROM held CROSS JOIN asked CROSS JOIN pg_class AS relation
    WHERE relation.relnamespace = 'ropo'::regnamespace AND relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND (
            has_table_privilege(held.oid, relation.oid, asked.of_tables)
            OR has_any_column_privilege(held.oid, relation.oid, asked.of_columns)
        )
    UNION ALL
    SELECT 2, 'may make something of its own in the schema ropo'
    FROM held
    WHERE has_schema_privilege(oid, 'ropo', 'CREATE')
    UNION ALL
    SELECT 3, format('may make schemas in the database %s', current_database())
    FROM held
    WHERE has_database_privilege(oid, current_database(), 'CREATE')
    UNION ALL
    SELECT 4, 'may make roles or databases, replicate, or is a superuser or past row security'
    FROM held
    WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    UNION ALL
    -- PostgreSQL's own roles: some write files or run programs on the server, others end sessions.
    SELECT 5, format('is a member of %s', rolname)
    FROM held
    WHERE starts_with(rolname, 'pg_')
        AND rolname NOT IN (
            'pg_read_all_data', 'pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables'
        )
) AS found (place, what)
ORDER BY place, what
LIMIT 1
