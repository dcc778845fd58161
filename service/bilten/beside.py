"""Commands typed beside `make up`: where no database is named, they work on that of the Bilten in this folder."""

import os
import sys
from pathlib import Path

from bilten.settings import SettingsError


def borrow_settings() -> None:
    """Complete the environment by the settings of what runs in this folder, and say so; a named database stands.

    Raises `SettingsError` when no database is named and nothing runs here.
    """
    if os.environ.get("BILTEN_DATABASE_URL"):
        return
    from bilten.local import running  # noqa: PLC0415 a deployment names its database and never loads this

    folder = Path.cwd() / ".bilten"
    try:
        settings = running.settings_in(folder)
    except PermissionError:
        raise SettingsError(
            f"BILTEN_DATABASE_URL is not set, and {folder} is another user's: run this as that user, or set it."
        ) from None
    if settings is None:
        raise SettingsError(
            "BILTEN_DATABASE_URL is not set, and no Bilten runs in this folder: "
            "start one with `make up` in another terminal, or set it."
        )
    sys.stderr.write(f"Using the database of the Bilten that runs in {folder}.\n")
    for name, value in settings.items():
        os.environ.setdefault(name, value)
