"""What is in a database, from PostgreSQL's own catalogue: for comparing two of them."""

from __future__ import annotations

import psycopg

COLUMNS = """
SELECT format('%%s.%%s.%%s %%s', n.nspname, c.relname, a.attname,
              format_type(a.atttypid, a.atttypmod)),
       a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attstorage
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = ANY(%s)"
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace::regnamespace::text = ANY(%s) AND contype <> 'n'  -- not null: see columns
"""
FUNCTIONS = """
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace::regnamespace::text = ANY(%s)
"""
TRIGGERS = """
SELECT pg_get_triggerdef(t.oid), t.tgenabled FROM pg_trigger AS t JOIN pg_class AS c
ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relnamespace::regnamespace::text = ANY(%s)
"""
ENUMS = """
SELECT typname, (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum
                 WHERE enumtypid = t.oid)::text
FROM pg_type AS t WHERE typtype = 'e' AND typnamespace::regnamespace::text = ANY(%s)
"""
RIGHTS = """
SELECT c.oid::regclass::text, c.relkind, c.reloptions::text, c.relacl::text FROM pg_class AS c
WHERE c.relkind IN ('r', 'p', 'v', 'S') AND c.relnamespace::regnamespace::text = ANY(%s)
"""
DEFINITIONS = (COLUMNS, INDEXES, CONSTRAINTS, FUNCTIONS, TRIGGERS, ENUMS)
FUNCTION_RIGHTS = """
SELECT oid::regprocedure::text, proacl::text FROM pg_proc
WHERE pronamespace::regnamespace::text = ANY(%s)
"""
SCHEMAS = """
SELECT nspname, nspacl::text FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""


def definitions(url: str, *schemas: str) -> set[tuple[object, ...]]:
    """Columns, indexes, constraints, functions, triggers and enums of these schemas."""
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = ''")  # names in full, whoever asks
        return {
            tuple(row)
            for query in DEFINITIONS
            for row in connection.execute(query.encode(), (list(schemas),))
        }


def everything(url: str, *schemas: str) -> set[tuple[object, ...]]:
    """The same with who may do what, and with all schemas of the database."""
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = ''")
        rights = {
            tuple(row)
            for query in (RIGHTS, FUNCTION_RIGHTS)
            for row in connection.execute(query.encode(), (list(schemas),))
        }
        found = {tuple(row) for row in connection.execute(SCHEMAS)}
    return definitions(url, *schemas) | rights | found
