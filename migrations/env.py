"""What Alembic runs around every command. `bilten.db.migrations` hands it the connection; it makes none of its own."""

from alembic import context
from bilten.db.schema import metadata

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    context.configure(
        connection=context.config.attributes["connection"],
        on_version_apply=context.config.attributes.get("on_version_apply"),
        target_metadata=metadata,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
