"""`spec.scanner`: who looks for viruses in uploaded files."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bilten_operator.api.block import Block, everywhere
from bilten_operator.api.rules import Checked, Rule, mode, needs
from bilten_operator.api.values import PodHost, WebAddress

#: ClamAV's own databases, which a mirror has in a form that only they can sign.
OFFICIAL = ("daily", "main", "bytecode")
_FILE = r"[A-Za-z0-9][A-Za-z0-9_-]*\\.[a-z][a-z0-9]{1,3}"

Signatures = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(min_length=1, max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    Checked(
        Rule(
            f"self.all(name, name.matches('^({'|'.join(OFFICIAL)}|{_FILE})$'))",
            "{field} must be daily, main, bytecode, or names of files like house.ndb",
        )
    ),
]


class ExternalScanner(Block):
    """A clamd that somebody else runs."""

    host: PodHost = Field(description="Host name of clamd, as pods reach it, like clamd.security.svc.")
    port: int = everywhere(3310, ge=1, le=65535, description="TCP port of clamd.")


class Scanner(Block):
    """Where ClamAV runs."""

    RULES: ClassVar = (
        *needs("External", "external", "name its host in it"),
        Rule(
            f"{mode()} != 'External' || !has(self.mirror)",
            "{field}.mirror has no effect when {field}.mode is External: remove it, or choose another mode",
            at=".mirror",
            reason="FieldValueForbidden",
        ),
        Rule(
            "!has(self.signatures) || has(self.mirror)",
            "{field}.signatures are taken from {field}.mirror: name the mirror, or remove them",
            at=".signatures",
            reason="FieldValueForbidden",
        ),
    )

    mode: Literal["Sidecar", "Shared", "External"] = everywhere(
        "Sidecar",
        description="Sidecar: in every worker pod. Shared: in pods of its own, for all workers of this instance. "
        "External: one that exists.",
    )
    mirror: WebAddress | None = Field(
        None, description="Where new virus signatures come from; ClamAV's own servers if left out."
    )
    signatures: Signatures | None = Field(
        None,
        description="What is taken from the mirror: daily, main and bytecode, which are ClamAV's own, and files of "
        "others, like house.ndb. ClamAV's own if left out.",
    )
    external: ExternalScanner | None = Field(
        None,
        description="Which clamd to use. AlertExceedsMax and AlertEncrypted have to be yes, else it says OK of what it "
        "did not look into; StreamMaxLength 100M, or the largest file that may be uploaded where that is more.",
    )
