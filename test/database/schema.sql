-- The schema as those who write rows meet it: of each table its columns, with "!" where a row must give a value, and what
-- its rows have to keep. Read by scripts/record-statements.mjs and previous-release.test.ts.
SELECT json_object_agg(relname, json_build_object('columns', columns, 'rules', rules) ORDER BY relname) AS schema
FROM pg_class c,
  LATERAL (
    SELECT json_object_agg(attname, format_type(atttypid, atttypmod)
      || CASE WHEN attnotnull AND NOT atthasdef AND attidentity = '' THEN ' !' ELSE '' END ORDER BY attname) AS columns
    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
  ) of_columns,
  LATERAL (
    SELECT coalesce(json_agg(rule ORDER BY rule), '[]') AS rules FROM (
      SELECT pg_get_constraintdef(oid) AS rule FROM pg_constraint WHERE conrelid = c.oid AND contype IN ('c', 'f', 'x')
      UNION SELECT 'UNIQUE ' || substring(pg_get_indexdef(indexrelid) FROM ' USING .*') FROM pg_index
        WHERE indrelid = c.oid AND indisunique
      UNION SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal
    ) all_rules
  ) of_rules
WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
