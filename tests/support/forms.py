"""Forms by hand: for bodies that no client library would send."""

from collections.abc import Sequence
from dataclasses import dataclass, field

BOUNDARY = "a-boundary"


@dataclass(frozen=True)
class Part:
    """One part, with its headers as they go over the wire."""

    disposition: str
    data: bytes = b""
    headers: Sequence[str] = field(default=())

    def encode(self) -> bytes:
        lines = [f"Content-Disposition: form-data; {self.disposition}", *self.headers]
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape") + b"\r\n" + self.data


FILE = Part('name="file"; filename="a.png"', b"the bytes", ["Content-Type: image/png"])


def form(*parts: Part, boundary: str = BOUNDARY, end: bytes = b"--\r\n") -> bytes:
    """The body of these parts."""
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + part.encode() + b"\r\n" for part in parts) + line + end


def request(body: bytes, *, path: str = "/api/v1/one", boundary: str = BOUNDARY, headers: Sequence[str] = ()) -> bytes:
    """A whole request, unless `headers` say otherwise."""
    return head(path, boundary, [f"Content-Length: {len(body)}", *headers]) + body


def head(path: str = "/api/v1/one", boundary: str = BOUNDARY, headers: Sequence[str] = ()) -> bytes:
    """The head of a request with a form."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: bilten",
        f"Content-Type: multipart/form-data; boundary={boundary}",
        *headers,
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"
