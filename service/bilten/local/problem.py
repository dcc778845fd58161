"""The one way this package gives up: a sentence for the developer, never a traceback."""


class LocalError(Exception):
    """Something on this machine stands in the way; the message says what, and what to do about it."""
