"""What the tables of later revisions stand on: two extensions and two trigger functions.

Undone by dropping the functions. The extensions stay: other schemas of the database may use them by now, and the next
upgrade takes them as they are.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists btree_gist")
    # The arguments name columns whose change alone is no change of the row: counters, and what is computed after
    # this trigger ran. Strictly increasing, so that two changes never share an ETag.
    op.execute(
        """
        create function set_updated_at() returns trigger language plpgsql as $$
        declare
            ignored text[] := coalesce(tg_argv, '{}') || '{updated_at}'::text[];
        begin
            if to_jsonb(new) - ignored is distinct from to_jsonb(old) - ignored then
                new.updated_at := greatest(now(), old.updated_at + interval '1 microsecond');
            else
                new.updated_at := old.updated_at;
            end if;
            return new;
        end
        $$
        """
    )
    op.execute(
        """
        create function refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception using
                message = lower(tg_op) || ' of ' || tg_table_name || ' refused: it is append-only',
                errcode = 'integrity_constraint_violation',
                constraint = tg_table_name || '_append_only';
        end
        $$
        """
    )


def downgrade() -> None:
    op.execute("drop function refuse_change()")
    op.execute("drop function set_updated_at()")
