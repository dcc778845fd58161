"""What all that lies in one file may come to, however it is nested: one count for the whole walk."""

from dataclasses import dataclass

from bilten.scanning.errors import Refused
from bilten.scanning.limits import Limits
from bilten.scanning.types import size


@dataclass
class Budget:
    """Counts members and bytes against `limits`; every method raises `Refused` beyond them."""

    limits: Limits
    members: int = 0
    unpacked: int = 0

    def member(self, count: int = 1) -> None:
        """This many more members."""
        self.members += count
        if self.members > self.limits.archive_members:
            raise _beyond(f"it has more than {self.limits.archive_members} members")

    def will_unpack(self, name: str, *, packed: int, unpacked: int) -> None:
        """A member that says it will unpack to this; to be asked before it is unpacked."""
        limits = self.limits
        if unpacked > limits.archive_member_bytes:
            raise _beyond(f"{name!r} in it unpacks to more than {size(limits.archive_member_bytes)}")
        if unpacked > limits.archive_ratio_from_bytes and unpacked > packed * limits.archive_ratio:
            raise _beyond(f"{name!r} in it unpacks to more than {limits.archive_ratio} times its size")
        self.unpacked += unpacked
        if self.unpacked > limits.archive_total_bytes:
            raise _beyond(f"it unpacks to more than {size(limits.archive_total_bytes)}")

    def depth(self, depth: int) -> None:
        """An archive so deep within others; the outermost is 1."""
        if depth > self.limits.archive_depth:
            raise _beyond(f"it holds archives more than {self.limits.archive_depth} deep")


def _beyond(why: str) -> Refused:
    return Refused("ARCHIVE_LIMITS", f"The document holds more than can be checked: {why}.")
