"""The test file of EICAR lies in none of our files, so that no scanner takes away a part of Bilten."""

import marshal
from pathlib import Path

import bilten
import pytest
from bilten.local.clamd import eicar

PACKAGE = Path(bilten.__file__).parent


@pytest.mark.parametrize("path", ["scanning/yara_work.py", "local/clamd.py"])
def test_the_test_file_is_neither_in_a_source_nor_in_what_is_compiled_of_it(path: str):
    source = (PACKAGE / path).read_text()
    assert eicar()[28:] not in source.encode()
    assert eicar()[28:] not in marshal.dumps(compile(source, path, "exec"))
