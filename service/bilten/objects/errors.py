"""What can go wrong with the object store and the caches before it, in words that hold no key and no signature."""


class StoreUnavailable(Exception):
    """The object store could not be reached, failed, refused us, or gave other bytes than it announced.

    Trying again later may heal it; nothing may be concluded about the object.
    """


class NoSuchObject(Exception):
    """The store says that there is no such object."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"The object {key} is not in the bucket {bucket}.")


class CdnUnavailable(Exception):
    """A cache could not be told to forget: it may still serve what is gone. To be tried again."""
