"""Where generated secrets come from. A protocol, so that whoever plans stays a pure function."""

from typing import NamedTuple, Protocol


class KeyPair(NamedTuple):
    """An Ed25519 key pair, 32 bytes each."""

    private: bytes
    public: bytes


class Randomness(Protocol):
    """Makes what nobody can guess."""

    def token(self, size_bytes: int) -> str:
        """So many random bytes as text: letters, digits, `-` and `_`."""
        ...

    def key_pair(self) -> KeyPair:
        """A new key pair for signing tokens."""
        ...
