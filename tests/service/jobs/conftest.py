"""What the tests of jobs and of mails have in common."""

from support.jobs import db, settings

__all__ = ["db", "settings"]
