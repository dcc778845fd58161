"""The CRD is closed, described and bounded, and what is committed is what the types say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bilten_operator.api.block import Block
from bilten_operator.api.conditions import MEANINGS, ConditionType
from bilten_operator.generate import crd, reference
from bilten_operator.generate.__main__ import main
from bilten_operator.generate.schema import structural

PROJECT = Path(__file__).parents[3]
SCHEMA = crd.instance_schema()


def walk(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield place.removeprefix("."), schema
    for name, field in schema.get("properties", {}).items():
        yield from walk(field, f"{place}.{name}")
    for part, ending in (("items", "[]"), ("additionalProperties", "{}")):
        if part in schema:
            yield from walk(schema[part], place + ending)


FIELDS = dict(walk(SCHEMA))
OWN = {place: field for place, field in FIELDS.items() if place.startswith(("spec", "status"))}


def test_the_committed_files_are_what_the_types_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert main() == 0
    for name in ("manifests/crds/bilteninstances.bilten.io.yaml", "docs/api-reference.md"):
        assert (tmp_path / name).read_text() == (PROJECT / name).read_text(), f"run `make docs` for {name}"


def test_nothing_is_left_that_kubernetes_does_not_take():
    foreign = {"$ref", "$defs", "anyOf", "allOf", "oneOf", "const", "title", "default", "x-bilten-defaults"}
    assert {place: found for place, field in FIELDS.items() if (found := foreign & field.keys())} == {}


def test_every_object_is_closed():
    open_keys = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource")
    assert not [place for place, field in FIELDS.items() if any(key in field for key in open_keys)]
    shapeless = [
        place for place, field in OWN.items()
        if field.get("type") == "object" and not ("properties" in field or "additionalProperties" in field)
    ]  # fmt: skip
    assert shapeless == []


def test_every_field_is_described_in_a_sentence():
    fields = {place: field for place, field in OWN.items() if not place.endswith(("[]", "{}"))}
    assert [place for place, field in fields.items() if not field["description"].endswith(".")] == []


def test_every_text_list_and_map_of_the_spec_has_a_longest_length():
    spec = {place: field for place, field in FIELDS.items() if place.startswith("spec")}
    assert [
        place for place, field in spec.items()
        if (field.get("type") == "string" and not {"maxLength", "enum"} & field.keys())
        or (field.get("type") == "array" and "maxItems" not in field)
        or ("additionalProperties" in field and "maxProperties" not in field)
    ] == []  # fmt: skip


def test_every_rule_names_its_field_and_says_what_to_do():
    for place, field in FIELDS.items():
        for rule in field.get("x-kubernetes-validations", []):
            assert rule["message"].startswith(place or ("metadata.name", "spec."))
            assert "{field}" not in rule["message"]
            assert any(word in rule["message"] for word in (": ", "like "))


def test_a_field_that_is_filled_in_is_not_required_of_the_resource():
    assert FIELDS["spec"]["required"] == ["environment", "image", "database", "objectStorage"]


def test_what_the_operator_writes_is_not_checked_twice():
    effective = dict(walk(FIELDS["status.effective"]))
    assert effective.keys() == dict(walk(FIELDS["spec"])).keys()
    assert not [place for place, field in effective.items() if {"x-kubernetes-validations", "required"} & field.keys()]


def test_the_definition_is_small_enough_for_a_client_side_apply():
    assert len(crd.manifest()) < 262144


def test_the_manifest_reads_back_as_the_definition():
    assert yaml.safe_load(crd.manifest()) == crd.definition()


def test_every_condition_has_a_meaning_in_the_reference():
    assert MEANINGS.keys() == set(ConditionType)
    assert all(f"| {kind} | {meaning} |" in reference.page() for kind, meaning in MEANINGS.items())


def test_a_field_without_a_description_is_refused_by_the_generator():
    class Part(Block):
        size: int

    with pytest.raises(ValueError, match="size has no description"):
        structural(Part)


def test_a_bound_that_excludes_itself_is_written_as_kubernetes_reads_it():
    assert FIELDS["spec.config.workerPollSeconds"]["minimum"] == 0
    assert FIELDS["spec.config.workerPollSeconds"]["exclusiveMinimum"] is True


def test_every_field_is_in_the_reference():
    page = reference.page()
    places = [place for place in OWN if place.startswith("spec.") and not place.endswith(("[]", "{}"))]
    assert len(places) > 80
    assert [place for place in places if f"| `{place}` |" not in page] == []
