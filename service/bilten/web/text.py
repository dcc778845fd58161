"""Text as people type it, and what of it is kept: one rule for every field of one line.

Invisible signs are how a name pretends to be another. Those that break a line or control a terminal are refused. Those
that turn the direction of what stands after them are dropped: pasted telephone numbers bring them along unseen. The
joiners and marks that Arabic and Persian are written with stay.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

# What stands within the brackets of a pattern.
#: The Unicode categories Cc, Zl and Zp. JSON lets no Cs through.
CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
#: Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9).
_TURNS = r"\u202a-\u202e\u2066-\u2069"
#: Zero-width spaces, joiners, marks, fillers and blanks: text of nothing else says nothing.
_UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff"
    r"\uffa0\ufff9-\ufffb"
)
#: Everything else that is no sign: spaces, and the above.
BLANKS = rf" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000{_TURNS}{_UNSEEN}"
_A_SIGN = f"[^{CONTROLS}{BLANKS}]"

_ONE_LINE = f"^[^{CONTROLS}]*$"
_ONE_LINE_WITH_A_SIGN = f"^[^{CONTROLS}]*{_A_SIGN}[^{CONTROLS}]*$"


def trimmed(text: str) -> str:
    """Without what turns its direction, and without space at its ends."""
    return re.sub(f"[{_TURNS}]", "", text).strip()


@dataclass(frozen=True, slots=True)
class Line:
    """Makes `Annotated[str, Line(at_most=…)]` one line of at most so many characters, trimmed.

    Where it is `required` it has a sign that can be seen.
    """

    at_most: int
    required: bool = True

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            self._read, core_schema.str_schema(min_length=int(self.required), max_length=self.at_most)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": _ONE_LINE_WITH_A_SIGN if self.required else _ONE_LINE}

    def _read(self, text: str) -> str:
        if not re.fullmatch(_ONE_LINE, text):
            raise ValueError("must be one line without control characters")
        if self.required and not re.search(_A_SIGN, text):
            raise PydanticKnownError("string_too_short", {"min_length": 1})
        return trimmed(text)


#: An address of an image that a page may show: nothing that runs. Empty text is none.
ImageUrl = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^(|(https?://|/)\S*)$"),
    AfterValidator(lambda value: value or None),
]


def chosen(value: str | None) -> str | None:
    """What a filter of a list asks for; None for the ways to say "any"."""
    value = (value or "").strip()
    return None if value.lower() in ("", "all") else value
