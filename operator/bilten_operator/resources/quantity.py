"""Quantities as Kubernetes writes them.

Not `kubernetes.utils.parse_quantity`: importing it brings the whole synchronous client, some 30 MB of the memory that
the operator works in.
"""

import re
from decimal import Decimal

_FORM = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(?:([eE][+-]?[0-9]{1,3})|([numkMGTPE]|[KMGTPE]i))?", re.ASCII)
_SCALES = {
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("num", -3)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


def quantity(text: str) -> Decimal | None:
    """What it stands for; None where it is none."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    number, exponent, suffix = form.groups()
    return Decimal(f"{number}{exponent or ''}") * _SCALES.get(suffix, Decimal(1))
