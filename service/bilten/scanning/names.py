"""Names as they may be stored and shown. No name ever becomes a path: objects are called by ids and hashes."""

import re
import unicodedata

from bilten.scanning.errors import Refused

#: Bytes of UTF-8: the longest name that common file systems take.
MAX_BYTES = 255

#: Directional overrides, embeddings, isolates and marks: they make `gpj.exe` of `exe.jpg` for the eye.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PATH = re.compile(r"[/\\]")
#: What file systems or shells of some clients do not take in a name.
_RESERVED = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,16})$")


def safe_name(given: str) -> str:
    """The name to store: its last part, without controls, overrides, or dots and spaces at its ends.

    Upper case, several extensions and other scripts stay: only the last extension counts, and it must be that of the
    content. Raises `Refused` for a name with NUL, or one of which nothing is left.
    """
    if "\0" in given:
        raise Refused("INVALID_NAME", "The file's name contains NUL. Rename the file.")
    name = _PATH.split(unicodedata.normalize("NFC", given))[-1]
    name = _BIDI.sub("", name)
    name = "".join(" " if unicodedata.category(char) in {"Zl", "Zp"} else char for char in name if not _unprinted(char))
    name = _RESERVED.sub("_", name).strip(". \t\u00a0\u3000")
    if not name:
        raise Refused("INVALID_NAME", "The file has no name. Send one with the file.")
    if _DEVICES.match(name):
        name = f"_{name}"
    # Once more: what was taken out may have stood between a letter and its accent.
    return _shortened(unicodedata.normalize("NFC", name))


def extension(name: str) -> str:
    """The last extension in lower case, without its dot; empty where there is none."""
    found = _EXTENSION.search(name)
    return found[1].lower() if found and found.start() > 0 else ""


def _unprinted(char: str) -> bool:
    """Controls, surrogates, private ones, and format characters but the joiners that scripts and emoji need."""
    return unicodedata.category(char) in {"Cc", "Cs", "Co"} or (
        unicodedata.category(char) == "Cf" and char not in "\u200c\u200d"
    )


def _shortened(name: str) -> str:
    """At most `MAX_BYTES`, the extension kept and no character cut."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    found = _EXTENSION.search(name)
    end = found[0] if found else ""
    return name.removesuffix(end).encode()[: MAX_BYTES - len(end)].decode(errors="ignore").rstrip(". ") + end
