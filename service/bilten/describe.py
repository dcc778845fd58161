"""`bilten openapi`: the OpenAPI document, without a server or settings."""

import sys

import orjson

from bilten.app import all_endpoints
from bilten.web import openapi


def main(_argv: list[str]) -> int:
    """Print the document as indented JSON."""
    document = openapi.document(all_endpoints())
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    return 0
