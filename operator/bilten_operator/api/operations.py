"""The parts of `spec` about running it: migrations, backups, monitoring, network policies."""

from typing import Annotated

from pydantic import Field

from bilten_operator.api.block import Block, by_environment, everywhere
from bilten_operator.api.object_storage import Store
from bilten_operator.api.rules import Checked, Rule
from bilten_operator.api.values import Duration, TimeZone


def _cron_field(value: str) -> str:
    item = rf"(\\*|{value}(-{value})?)(/[1-9][0-9]?)?"
    return f"{item}(,{item})*"


_MONTH = "(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_CRON = " +".join(
    _cron_field(value)
    for value in (
        "[0-5]?[0-9]",
        "([01]?[0-9]|2[0-3])",
        "(0?[1-9]|[12][0-9]|3[01])",
        _MONTH,
        "([0-6]|SUN|MON|TUE|WED|THU|FRI|SAT)",
    )
)

#: Five fields, where CloudNativePG has six and reads the first of five as seconds: the operator translates.
Schedule = Annotated[
    str,
    Field(max_length=100),
    Checked(
        Rule(
            f"self.matches('^(?i:{_CRON})$')",
            "{field} must have the five fields of cron (minute, hour, day of month, month, day of week 0-6), like "
            "'0 3 * * *' for every night at three",
        )
    ),
]

Retention = Annotated[
    str,
    Field(max_length=8),
    Checked(
        Rule(
            "self.matches('^[1-9][0-9]{0,3}[dwm]$')",
            "{field} must be a number of days, weeks or months, like 30d, 8w or 6m",
        )
    ),
]


class Migrations(Block):
    """The Job that brings the database's schema to what the image needs."""

    deadline: Duration = by_environment(
        development="5m", staging="30m", production="30m",
        description="Longest a migration may take. Past it the Job has failed, and the old pods keep serving.",
    )  # fmt: skip


class Backup(Block):
    """Base backups and the write-ahead log of a managed database."""

    schedule: Schedule = everywhere("0 3 * * *", description="When base backups are made, in the five fields of cron.")
    time_zone: TimeZone = everywhere("UTC", description="Time zone of the schedule.")
    retention: Retention = by_environment(
        development="7d", staging="14d", production="30d",
        description="How far back the database can be recovered; older backups are deleted.",
    )  # fmt: skip
    suspend: bool = everywhere(False, description="Make no base backups for now. The write-ahead log is still kept.")
    object_storage: Store | None = Field(
        None,
        description="Store that keeps the backups; that of the instance if left out. In production it may not be one "
        "that the operator runs for this instance.",
    )


class Monitoring(Block):
    """What Prometheus's operator finds, where it is installed."""

    enabled: bool = by_environment(
        development=False, staging=True, production=True,
        description="Make a ServiceMonitor and a PrometheusRule where the cluster knows these kinds.",
    )  # fmt: skip
    labels: Annotated[
        dict[str, Annotated[str, Field(max_length=63)]],
        Field(max_length=16),
        Checked(
            Rule(
                "self.all(name, name.size() <= 317 && name.matches('^[A-Za-z0-9][A-Za-z0-9_./-]*$')) && "
                "self.all(name, self[name].matches('^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$'))",
                "{field} must be labels like release: prometheus, of letters, digits, '-', '_' and '.'",
            )
        ),
    ] = everywhere({}, description="Labels on both, by which a Prometheus chooses what it reads.")


class NetworkPolicy(Block):
    """Which pods may talk to which."""

    enabled: bool = everywhere(
        True, description="Let each pod be reached by those that need it only, where the cluster enforces it."
    )
