"""What a database's schema is, in Postgres's own words, so that two databases can be compared."""

import asyncpg

_PARTS = {
    "columns": """
        select attrelid::regclass || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull,
            attidentity, attgenerated, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
        from pg_attribute join pg_class on pg_class.oid = attrelid
        left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
    """,
    "constraints": """
        select conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and contype <> 'n' and conrelid <> 0
    """,
    "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'public'",
    "triggers": """
        select tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    """,
    "functions": """
        select p.oid::regprocedure::text, prosrc from pg_proc p where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
    """,
}

Schema = dict[str, dict[str, str]]


async def schema_of(url: str) -> Schema:
    """Every part of the schema by its name, Alembic's own table left out."""
    connection = await asyncpg.connect(url)
    try:
        return {
            part: {
                name: definition for name, definition in await connection.fetch(sql) if not name.startswith("alembic_")
            }
            for part, sql in _PARTS.items()
        }
    finally:
        await connection.close()
