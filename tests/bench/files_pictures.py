"""The rows of pictures: how long until all of one may be shown, and what the API's other callers feel of it."""

import asyncio
import io
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench import files_probe
from bench.files_client import Client
from bench.files_stage import FilesStage, unlike
from bench.table import Row, quantile
from PIL import Image

#: As a telephone makes them: twelve megapixels, five megabytes.
_PIXELS = (4000, 3000)
_BYTES = 5_000_000
_PICTURE = "photo.jpg", "image/jpeg"
_COMMENT = b"0123456789abcdef"

AT_ONCE, PICTURES = 4, 80
UPLOADS, ROUNDS = 8, 5


async def measure(row: Row, stage: FilesStage) -> None:
    """Four callers, each of whom sends the next picture when the one before is clean."""
    picture, taken_s = photo(), []
    async with stage.client() as client:
        with stage.working():
            await _clean(client, picture)
            waiting, made = iter(range(PICTURES)), []

            async def caller() -> None:
                for _ in waiting:
                    took_s, file = await _uploaded(client, picture)
                    taken_s.append(took_s)
                    made.append(file)

            before, began = stage.spent(), time.monotonic()
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(caller())
            whole_s, after = time.monotonic() - began, stage.spent()
            # Not before: to delete them is work that is not measured here.
            for file in made:
                await client.delete(file)
            await stage.idle()
    p95 = quantile(taken_s, 0.95)
    row.figure, row.reached = f"{p95:.2f} s", p95 <= 1.5
    row.notes.append(f"median {quantile(taken_s, 0.5):.2f} s, longest {max(taken_s):.2f} s, of {len(taken_s)}")
    row.notes.append(f"{len(taken_s) / whole_s:.1f} pictures of {len(picture) / 1e6:.1f} MB a second")
    used = sorted(((spent - before.get(name, 0)) / len(taken_s), name) for name, spent in after.items())
    row.notes.append("seconds of processor for each: " + ", ".join(f"{name} {s:.2f}" for s, name in used[:-6:-1]))


async def measure_livez(row: Row, stage: FilesStage) -> None:
    """Eight pictures at once, as soon as they are clean eight more; another process asks all the time."""
    picture = photo()
    async with stage.client() as client:
        with stage.working():
            await _clean(client, picture)
            async with _probing(stage.url) as quiet_s:
                await asyncio.sleep(3)
            async with _probing(stage.url) as busy_s:
                for _ in range(ROUNDS):
                    await asyncio.gather(*(_clean(client, picture) for _ in range(UPLOADS)))
            await stage.idle()
    p99 = quantile(busy_s, 0.99)
    row.figure, row.reached = f"{p99 * 1000:.0f} ms", p99 < 0.05
    for name, seen_s in (("meanwhile", busy_s), ("before", quiet_s)):
        shares = ", ".join(f"{label} {quantile(seen_s, share) * 1000:.1f} ms" for label, share in _SHARES)
        row.notes.append(f"{name}: {shares}, of {len(seen_s)}")


_SHARES = (("median", 0.5), ("p99", 0.99), ("longest", 1.0))


async def _clean(client: Client, picture: bytes) -> None:
    """A picture from the request until it is clean, and deleted."""
    _, file = await _uploaded(client, picture)
    await client.delete(file)


async def _uploaded(client: Client, picture: bytes) -> tuple[float, dict[str, Any]]:
    """Seconds from the request until it is clean, with all its variants; and the file."""
    content = unlike(picture, picture.index(_COMMENT))
    began = time.monotonic()
    file = await client.ended(await client.upload(content, *_PICTURE, wait=8))
    took_s = time.monotonic() - began
    if file["status"] != "clean":
        raise RuntimeError(f"a picture became {file['status']}: {file}")
    return took_s, file


@asynccontextmanager
async def _probing(url: str) -> AsyncIterator[list[float]]:
    """Seconds that each answer took, complete when the block has ended."""
    seen_s: list[float] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable, files_probe.__file__, url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield seen_s
    finally:
        told, _ = await process.communicate(b"")
        seen_s += [float(line) for line in told.split()]
    if process.returncode or not seen_s:
        raise RuntimeError("the probe of /livez ended early")


def photo() -> bytes:
    """Coarse and fine patterns under the noise of a sensor: what a JPEG encoder finds in a photograph."""
    chance = random.Random(5)  # noqa: S311 - no secret
    image = Image.new("RGB", _PIXELS)
    for cells, share in ((8, 0.6), (60, 0.4), (500, 0.25)):
        size = cells, cells * _PIXELS[1] // _PIXELS[0]
        pattern = Image.frombytes("RGB", size, chance.randbytes(3 * size[0] * size[1]))
        image = Image.blend(image, pattern.resize(_PIXELS, Image.Resampling.BICUBIC), share)
    grain = Image.effect_noise(_PIXELS, 30).convert("RGB")
    image = Image.blend(image, grain, 0.15)
    for quality in range(95, 50, -1):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, comment=_COMMENT)
        if out.tell() <= _BYTES * 1.02:
            return out.getvalue()
    raise ValueError("the pattern is too fine")
