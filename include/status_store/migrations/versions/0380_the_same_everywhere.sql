-- A server in SQL_ASCII takes a text for its bytes: its length was another than the one that Python counts, and an event with
-- an umlaut was other content each time that it was seen. All else is as in 0340.
CREATE FUNCTION ropo.framed(content text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN concat(coalesce(length(convert_to(content, 'UTF8'), 'UTF8'), 0), ':', content);

CREATE OR REPLACE FUNCTION ropo.content_sha256(event ropo.status_event) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN event.erased_at IS NOT NULL THEN event.content_sha256
    ELSE sha256(convert_to(concat(
        ropo.framed(event.jobid),
        -- The key of a row that came without a statusid.
        CASE WHEN starts_with(event.statusid, 'sha256:') THEN '0:' ELSE ropo.framed(event.statusid) END,
        ropo.framed(event.billnum),
        ropo.framed(event.statustype),
        CASE
            WHEN event.statustime = date_trunc('second', event.statustime)
                THEN concat('19:', to_char(event.statustime, 'YYYY-MM-DD HH24:MI:SS'))
            ELSE concat('26:', to_char(event.statustime, 'YYYY-MM-DD HH24:MI:SS.US'))
        END,
        ropo.framed(event.statusref),
        ropo.framed(event.statustext),
        ropo.framed(event.statuscode),
        ropo.framed(to_char(event.paydate, 'YYYY-MM-DD')),
        ropo.framed(event.amount::text)
    ), 'UTF8'))
END;
