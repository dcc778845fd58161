"""`spec.scanner`: who looks for viruses in uploaded files."""

from typing import ClassVar, Literal

from pydantic import Field

from bilten_operator.api.block import Block, everywhere
from bilten_operator.api.rules import Rule, needs
from bilten_operator.api.values import PodHost, WebAddress


class ExternalScanner(Block):
    """A clamd that somebody else runs."""

    host: PodHost = Field(description="Host name of clamd, as pods reach it, like clamd.security.svc.")
    port: int = everywhere(3310, ge=1, le=65535, description="TCP port of clamd.")


class Scanner(Block):
    """Where ClamAV runs."""

    RULES: ClassVar = (
        *needs("External", "external", "name its host in it"),
        Rule(
            "self.mode != 'External' || !has(self.mirror)",
            "{field}.mirror has no effect when {field}.mode is External: remove it, or choose another mode",
            at=".mirror",
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
    external: ExternalScanner | None = Field(None, description="Which clamd to use.")
