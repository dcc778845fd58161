"""Imports every domain's tables, so that `metadata` is the whole schema."""

import bilten.accounts.tables
import bilten.articles.tables
import bilten.audit.tables
import bilten.events.tables
import bilten.files.tables
import bilten.idempotency.tables
import bilten.jobs.tables
import bilten.mail.tables
import bilten.wishlist.tables  # noqa: F401 all of these add their tables
from bilten.db.metadata import metadata

__all__ = ["metadata"]
