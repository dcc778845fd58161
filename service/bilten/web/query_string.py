"""The query string, decoded strictly: invalid UTF-8 and NUL are errors, of a repeated name the last value counts."""

from urllib.parse import parse_qsl

from aiohttp import web

from bilten.web.errors import ValidationFailed

#: More parameters than any page sends; a bound on the work of a hostile query.
MAX_PARAMETERS = 100


def parse(request: web.BaseRequest) -> dict[str, str]:
    """Name → last value. Raises `ValidationFailed` when the text cannot be read."""
    raw = request.rel_url.raw_query_string
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeDecodeError:
        raise ValidationFailed("The query string is not valid UTF-8") from None
    except ValueError:
        raise ValidationFailed(f"The query string has more than {MAX_PARAMETERS} parameters") from None
    values = dict(pairs)
    for name, value in values.items():
        if "\0" in name or "\0" in value:
            raise ValidationFailed(
                details=[
                    {"field": name.replace("\0", ""), "code": "invalid_text", "message": "Remove the character NUL"}
                ]
            )
    return values
