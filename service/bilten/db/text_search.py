"""Finding words in a text column that has a trigram index, in a way the index can always help.

A word is found anywhere in the text. Of one or two letters no trigram can be made inside a word, only at its start, so
so short a word is found where a word of the text begins. That keeps `q=x` from reading the whole table.
"""

import re

from bilten.db.statement import Arguments

#: Of a longer search, the first words count.
MAX_WORDS = 8
#: pg_trgm's unit; a run of so many letters and digits inside a word is what its index can look up.
_TRIGRAM = 3

_SEPARATORS = re.compile(r"[\s,]+")
_WILDCARDS = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def containing_all(column: str, text: str, arguments: Arguments) -> list[str]:
    """SQL conditions that `column`, a lower-case text, contains every word of `text`, in any case.

    Signs between words (`jazz & soul`) do not count; a search of nothing else finds nothing.
    """
    words = [word for word in _SEPARATORS.split(text) if _longest_run(word)][:MAX_WORDS]
    return [_contains(column, word, arguments) for word in words] or ["false"]


def _longest_run(word: str) -> int:
    """The most letters and digits in a row. `²` and `½` are neither: pg_trgm makes nothing of them."""
    runs = "".join(sign if sign.isalpha() or sign.isdecimal() else " " for sign in word).split()
    return max(map(len, runs), default=0)


def _contains(column: str, word: str, arguments: Arguments) -> str:
    literal = word.translate(_WILDCARDS)
    if _longest_run(word) >= _TRIGRAM:
        return f"{column} like lower({arguments.add(f'%{literal}%')})"
    # The parts of a searchable column are joined by chr(10).
    starts = (f"{literal}%", f"% {literal}%", f"%\n{literal}%")
    return "(" + " or ".join(f"{column} like lower({arguments.add(start)})" for start in starts) + ")"
