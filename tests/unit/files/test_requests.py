"""What requests about files may say, as the models read it and as the OpenAPI document tells it."""

import re
import time
from datetime import date
from typing import Any

import pytest
from bilten.app import all_endpoints
from bilten.files.filters import FilesQuery
from bilten.files.picture_schemas import DeletePicture, OptimizeQuery
from bilten.files.presets import find
from bilten.files.schemas import FileChange, NewUpload
from bilten.scanning.render import PRESETS
from bilten.web import openapi
from pydantic import ValidationError

FOLDERS = {
    "/": "/", "//": "/", "/a": "/a", "/a/": "/a", "/a/b//": "/a/b", "/ a /b ": "/a/b", "/.a": "/.a",
    "/%2e%2e": "/%2e%2e",
    "/ملفات/é": "/ملفات/é", "/a\u202eb": "/ab",
}  # fmt: skip
NO_FOLDERS = (
    "",
    "a",
    " /a",
    "/a//b",
    "/..",
    "/a/../b",
    "/a/./b",
    "/\u202a..",
    "/...",
    "/. .",
    "/a\\b",
    "/a\nb",
    "/\u200b",
)


def folder_pattern() -> str:
    pattern: str = FileChange.model_json_schema()["properties"]["folder"]["anyOf"][0]["pattern"]
    return pattern


@pytest.mark.parametrize(("sent", "kept"), FOLDERS.items())
def test_a_folder_is_kept_in_one_spelling(sent: str, kept: str):
    assert FileChange(folder=sent).folder == kept
    assert re.search(folder_pattern(), sent)


@pytest.mark.parametrize("sent", NO_FOLDERS)
def test_what_is_no_folder_is_refused_and_the_document_says_so(sent: str):
    with pytest.raises(ValidationError):
        FileChange(folder=sent)
    assert not sent or not re.search(folder_pattern(), sent)


def test_no_text_takes_long_to_be_found_no_folder():
    began = time.process_time()
    for bad in ("/aaa" * 124 + "\\", "/" + "." * 498 + "\\", "/. . .a" * 70 + "\\", "/" * 499 + "\\"):
        assert not re.search(folder_pattern(), bad)
    assert time.process_time() - began < 1


def test_filters_may_come_in_both_spellings_and_unknown_ones_are_refused():
    both: dict[str, Any] = {"min_size": "1", "minSize": "2", "maxSize": "3"}
    query = FilesQuery.model_validate(both)
    assert (query.min_size, query.max_size) == (1, 3)
    with pytest.raises(ValidationError):
        FilesQuery.model_validate({"minimumSize": "1"})


def test_a_long_name_of_a_filter_is_refused_soon():
    began = time.process_time()
    for _ in range(10):
        with pytest.raises(ValidationError):
            FilesQuery.model_validate({"A" * 8000: "1"})
    assert time.process_time() - began < 1


def test_a_day_is_no_number():
    assert FilesQuery.model_validate({"from": "2026-03-15"}).since == date(2026, 3, 15)
    for wrong in ("0", "1773532800", "2026-02-30", "2026-03-15T00:00:00", "2026-03-\u0661\u0665"):
        with pytest.raises(ValidationError):
            FilesQuery.model_validate({"to": wrong})


def test_a_size_may_be_a_whole_number_with_a_point():
    declared = {"name": "a.jpg", "media_type": "image/jpeg", "sha256": "0" * 64}
    assert NewUpload.model_validate(declared | {"size_bytes": 48.0}).size_bytes == 48
    for wrong in (48.5, "48", True, float("inf")):
        with pytest.raises(ValidationError):
            NewUpload.model_validate(declared | {"size_bytes": wrong})


def test_the_document_tells_what_the_contract_refuses_in_its_own_words():
    paths = openapi.document(all_endpoints())["paths"]
    optimize = {each["name"]: each for each in paths["/api/v1/uploads/optimize"]["get"]["parameters"]}
    assert optimize["url"]["required"]
    for side in ("width", "height"):
        told = optimize[side]["schema"]["enum"]
        assert told == sorted({getattr(preset, side) for preset in PRESETS})
        assert all(find(**{"width": None, "height": None, "quality": None, "fit": None, side: each}) for each in told)
    schema = DeletePicture.model_json_schema()
    assert schema["required"] == ["file_url"]
    assert schema["properties"]["file_url"]["type"] == "string"
    assert (DeletePicture().file_url, OptimizeQuery().url) == (None, None)
