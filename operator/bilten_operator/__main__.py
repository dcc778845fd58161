"""`python -m bilten_operator`: the operator."""

import asyncio
import sys

from pydantic import ValidationError

from bilten_operator import logs, process
from bilten_operator.settings import Settings


def main() -> int:
    """Run it; the exit status."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"BILTEN_OPERATOR_{name}: {problem['msg']}\n")
        return 2
    logs.set_up(settings.log_level)
    return asyncio.run(process.run(settings))


if __name__ == "__main__":
    sys.exit(main())
