"""The one line of revisions in `migrations/`: their order, their names, and the SQL between any two of them."""

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import bilten
from bilten.db.migration_errors import MigrationError

SCRIPTS = Path(bilten.__file__).parents[2] / "migrations"


def known_revisions() -> list[str]:
    """Every revision this version knows, oldest first."""
    return [script.revision for script in reversed(list(scripts().walk_revisions()))]


def summary(revision: str) -> str:
    """The first line of a revision's docstring."""
    return scripts().get_revision(revision).doc.rstrip(".")


def position(to: str, here: int = 0) -> int:
    """Where `to` lies on the line; 0 is before the first revision. `+1` and `-1` count from `here`."""
    line = known_revisions()
    if to in {"base", "head"}:
        return len(line) if to == "head" else 0
    if to in line:
        return line.index(to) + 1
    if to[:1] in {"+", "-"} and to[1:].isdigit() and 0 <= here + int(to) <= len(line):
        return here + int(to)
    raise MigrationError(f"There is no revision {to!r}. Known are: base, {', '.join(line)} (head).")


def position_of_database(heads: tuple[str, ...]) -> int:
    """Where a database with these entries in `alembic_version` is. Raises `MigrationError` when that is nowhere."""
    line = known_revisions()
    unknown = [revision for revision in heads if revision not in line]
    if unknown:
        raise MigrationError(
            f"The database is at revision {', '.join(unknown)}, which this version does not know: a newer version "
            "migrated it. Run that version, or undo its migrations with it first."
        )
    return max((line.index(revision) + 1 for revision in heads), default=0)


def name(place: int) -> str:
    """The revision at a position, `base` before the first."""
    return known_revisions()[place - 1] if place else "base"


def sql(to: str = "head", start: str = "base") -> str:
    """The statements that lead from `start` to `to`, either way, for psql. Needs no database."""
    before, after = position(start), position(to)
    script = config()
    script.output_buffer = io.StringIO()
    step = command.upgrade if after >= before else command.downgrade
    step(script, f"{name(before)}:{name(after)}", sql=True)
    return script.output_buffer.getvalue()


def config() -> Config:
    """Alembic's configuration; it has no file."""
    script = Config()
    script.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return script


def scripts() -> ScriptDirectory:
    """The folder of revisions."""
    return ScriptDirectory.from_config(config())
