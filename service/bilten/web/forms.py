"""What an endpoint takes as multipart/form-data: text fields as a model, files by name, each with its bounds.

FILE = FileField("file", at_most_bytes=lambda settings: settings.max_upload_bytes)

@endpoint("POST", "/files", summary="Upload a file", auth="user", status=201, files=[FILE])
async def add_file(services: Services, principal: Principal, upload: Upload[FileForm]) -> FileAnswer:
    received = upload.files["file"][0]
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

from bilten.settings import Settings
from bilten.web.errors import ApiError, PayloadTooLarge, ValidationFailed

FormT = TypeVar("FormT", bound=BaseModel)
#: Parts beyond those that an endpoint declares: fields that frontends add, and fields that are sent several times.
SPARE_PARTS = 32
#: All text fields together, in bytes.
MAX_TEXT_BYTES = 64 * 1024
#: Everything that is neither text nor file: boundaries, headers, what stands after the last boundary; in bytes.
MAX_FRAMING_BYTES = 64 * 1024


class FileTooLarge(PayloadTooLarge):
    """413: a file is larger than the endpoint takes."""

    code = "FILE_TOO_LARGE"
    message = "The file is too large"


def _too_large(limit: int) -> ApiError:
    return FileTooLarge(f"The file is larger than {limit} bytes")


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """What an endpoint answers where its contract has words of its own; each is made anew when it is needed."""

    missing: Callable[[], ApiError] | None = None
    too_many: Callable[[], ApiError] | None = None
    #: Takes the limit in bytes.
    too_large: Callable[[int], ApiError] = _too_large


@dataclass(frozen=True)
class FileField:
    """A field of a form that takes `least` to `most` files."""

    name: str
    #: The most bytes of one file.
    at_most_bytes: Callable[[Settings], int]
    least: int = 1
    most: int = 1
    #: The types that the documentation lists; what is let in is decided by who looks at the bytes.
    media_types: tuple[str, ...] = ()
    description: str = ""
    refusals: Refusals = Refusals()

    def missing(self) -> ApiError:
        """The refusal of a form with fewer files than `least`."""
        return (self.refusals.missing or (lambda: _wrong(self.name, "missing", "Add the file")))()

    def too_many(self) -> ApiError:
        """The refusal of a form with more files than `most`."""
        sentence = f"Send at most {self.most} of these"
        return (self.refusals.too_many or (lambda: _wrong(self.name, "too_many_files", sentence)))()

    def too_large(self, limit: int) -> ApiError:
        """The refusal of a file with more bytes than `limit`."""
        return self.refusals.too_large(limit)


def _wrong(field: str, code: str, message: str) -> ApiError:
    return ValidationFailed(details=[{"field": field, "code": code, "message": message}])


@dataclass(frozen=True, kw_only=True)
class ReceivedFile:
    """A file as it came: what its sender says of it, and where its bytes wait until the request ends."""

    #: As sent: any characters, empty when the sender named none.
    name: str
    #: As sent, in lower case and without parameters; empty when the sender named none.
    media_type: str
    path: Path
    size: int
    #: Of the bytes, in hex.
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Upload(Generic[FormT]):
    """A form that arrived whole."""

    form: FormT
    files: Mapping[str, Sequence[ReceivedFile]]
    #: Unlinks the files before the request ends; for handlers that go on without them.
    release: Callable[[], Awaitable[None]]

    def fingerprint(self) -> bytes:
        """What a repetition of this upload has in common with it, whatever its boundaries are."""
        files = {name: [(file.name, file.media_type, file.sha256) for file in of] for name, of in self.files.items()}
        return hashlib.sha256(orjson.dumps([self.form.model_dump(mode="json"), files])).digest()


@dataclass(frozen=True)
class FormSpec:
    """What an endpoint declares of its form."""

    model: type[BaseModel]
    files: tuple[FileField, ...]

    @property
    def most_parts(self) -> int:
        """Parts that are read at most."""
        return sum(file.most for file in self.files) + len(self.model.model_fields) + SPARE_PARTS

    def most_bytes(self, settings: Settings) -> int:
        """The largest body that could be let in."""
        files = sum(file.most * file.at_most_bytes(settings) for file in self.files)
        return files + MAX_TEXT_BYTES + MAX_FRAMING_BYTES

    def takes_many(self, name: str) -> bool:
        """Whether a text field may be sent several times; of any other the last counts."""
        for field, info in self.model.model_fields.items():
            if name in (field, *_aliases(info.validation_alias)):
                return _is_list(info.annotation)
        return False


def _aliases(alias: Any) -> Sequence[Any]:
    return getattr(alias, "choices", (alias,))


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_list(branch) for branch in get_args(annotation))
    return get_origin(annotation) in (list, tuple, set, frozenset)
