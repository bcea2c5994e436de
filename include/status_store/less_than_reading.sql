-- What the role of this session may not do of what reading the store takes; no row where that is nothing. Some views call
-- functions, which a site may have closed to everybody.
SELECT what
FROM (
    SELECT 1, 'may not look into the schema ropo'
    WHERE NOT has_schema_privilege('ropo', 'USAGE')
    UNION ALL
    SELECT 2, format('may not read ropo.%I', relname)
    FROM pg_class
    WHERE relnamespace = 'ropo'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
        AND NOT has_table_privilege(oid, 'SELECT')
    UNION ALL
    SELECT 3, format('may not call ropo.%I(%s)', proname, pg_get_function_identity_arguments(oid))
    FROM pg_proc
    WHERE pronamespace = 'ropo'::regnamespace AND NOT has_function_privilege(oid, 'EXECUTE')
) AS lacking (place, what)
ORDER BY place, what
LIMIT 1
