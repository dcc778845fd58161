"""The images under test: built from the checkout, and put where the cluster finds them."""

import hashlib
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.e2e_cluster import run

PROJECT = Path(__file__).parents[2]

#: A command that builds and publishes: COMMAND FOLDER IMAGE -f DOCKERFILE [--target STAGE]. That of skaffold.yaml, too.
BUILD_COMMAND = "BILTEN_BUILD_COMMAND"
#: Under which the images are named, where a registry must be in it.
REPOSITORY = "BILTEN_E2E_REPOSITORY"

_SOURCES = ("service", "migrations", "operator", ".dockerignore")


class CannotBuild(Exception):
    """What to do to get images, in a sentence."""


@dataclass(frozen=True)
class Images:
    """What they are called."""

    operator: str
    service: str
    #: The service with a debugger in it.
    development: str


def build(say: Callable[[str], None], context: str) -> Images:
    """Build them. `context` is kubectl's: a kind cluster is given the images without a registry."""
    prefix, tag = os.environ.get(REPOSITORY, "bilten"), f"e2e-{_digest()}"
    images = Images(
        operator=f"{prefix}/operator:{tag}",
        service=f"{prefix}/service:{tag}",
        development=f"{prefix}/service:{tag}-development",
    )
    for image, dockerfile, target in (
        (images.operator, "operator/Dockerfile", []),
        (images.service, "service/Dockerfile", []),
        (images.development, "service/Dockerfile", ["--target", "development"]),
    ):
        say(f"building {image}")
        _build(image, ["-f", dockerfile, *target], context)
    return images


def _build(image: str, options: list[str], context: str) -> None:
    if command := os.environ.get(BUILD_COMMAND):
        run(*shlex.split(command), str(PROJECT), image, *options)
    elif shutil.which("docker"):
        dockerfile = ["-f", str(PROJECT / options[1]), *options[2:]]
        run("docker", "build", *dockerfile, "--tag", image, str(PROJECT))
        if context.startswith("kind-"):
            run("kind", "load", "docker-image", image, "--name", context.removeprefix("kind-"))
        else:
            run("docker", "push", image)
    else:
        raise CannotBuild(
            f"There is nothing to build images with: install Docker, or name a command in {BUILD_COMMAND} that builds "
            "and publishes one when called as COMMAND FOLDER IMAGE -f DOCKERFILE."
        )


def _digest() -> str:
    """Names what the images are made of: a node that has an older one must not take it for this one."""
    listed = run(
        "git", "-C", str(PROJECT), "ls-files", "-z", "--", "service", "migrations", "operator", ".dockerignore"
    )
    found = hashlib.sha256()
    for name in sorted(filter(None, listed.split("\0"))):
        path = PROJECT / name
        if path.is_file():
            found.update(f"{name}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:12]
