"""An instance's chart passes a spec on as it is, and refuses what cannot become one before the API server is asked."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bilten_operator.api.spec import effective
from bilten_operator.generate.crd import instance_schema
from support.charts import ENVIRONMENTS, MISTAKES, PROJECT, answered, values
from support.helm import INSTANCE, Object, Refused, Release, install, merged, problems

SCHEMA = json.loads((INSTANCE / "values.schema.json").read_text())["properties"]["spec"]
SAMPLES = sorted((PROJECT / "manifests" / "samples").glob("*.yaml"))
DEVELOPMENT = answered("development")


def default(given: Object, name: str = "bilten") -> Release:
    return install(INSTANCE, given, name=name, namespace="shop")


def spec(given: Object) -> Object:
    found: Object = default(given).one("BiltenInstance")["spec"]
    return found


def told(given: Object, name: str = "bilten") -> list[str]:
    """The sentences of a refusal; those about parts of a part are indented."""
    with pytest.raises(Refused) as refused:
        default(given, name)
    lines = [line.strip() for line in str(refused.value).splitlines()]
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def development(**more: Any) -> Object:
    return merged(DEVELOPMENT, {"spec": more})


def blocks(schema: Object, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The place of every block."""
    if "properties" in schema:
        yield place
        for name, field in schema["properties"].items():
            yield from blocks(field, (*place, name))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_lint_finds_nothing(environment: str):
    assert problems(INSTANCE, answered(environment)) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_values_of_each_environment_make_an_instance_that_the_operator_reads(environment: str):
    made = default(answered(environment)).one("BiltenInstance")
    assert made["spec"] == answered(environment)["spec"]
    read = effective(made["spec"])
    assert read.environment == environment
    assert read.deletion_policy == "Retain"
    assert bool(read.backup) is (environment != "development")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_can_be_applied_can_be_given_to_helm(path: Path):
    sample = yaml.safe_load(path.read_text())["spec"]
    assert spec({"spec": sample}) == sample


def test_it_is_called_as_its_release_unless_it_is_named():
    assert default(DEVELOPMENT).one("BiltenInstance")["metadata"]["name"] == "bilten"
    metadata = default({**DEVELOPMENT, "name": "main", "labels": {"team": "events"}, "annotations": {"a": "b"}}).one(
        "BiltenInstance"
    )["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("main", "shop")
    assert metadata["labels"]["team"] == "events"
    assert metadata["annotations"] == {"a": "b"}


def test_numbers_stay_as_they_were_given():
    config = {"accessTokenTtlSeconds": 31536000, "maxJsonBytes": 104857600, "shutdownGraceSeconds": 2.5}
    assert spec(development(config=config))["config"] == {**DEVELOPMENT["spec"]["config"], **config}


def test_null_takes_away_what_an_earlier_file_gave():
    given = merged(
        answered("production"), {"spec": {"database": {"managed": {"pooler": None}}, "exposure": {"tls": None}}}
    )
    made = spec(given)
    assert "pooler" not in made["database"]["managed"]
    assert made["exposure"] == {"mode": "Ingress", "host": "api.example.com"}
    assert "exposure" not in spec(development(exposure=None, objectStorage={"publicEndpoint": None}))


@pytest.mark.parametrize("place", list(blocks(SCHEMA)), ids=".".join)
def test_a_field_that_does_not_exist_is_refused_in_every_block(place: tuple[str, ...]):
    given: Object = {"typo": 1}
    for name in reversed(place):
        given = {name: given}
    path = "/".join(("", "spec", *place))
    assert f"at '{path}': additional properties 'typo' not allowed" in told(development(**given))


def test_a_value_of_the_wrong_kind_is_refused_by_its_place():
    assert told(development(api={"replicas": "3"})) == ["at '/spec/api/replicas': got string, want null or integer"]
    assert told(development(environment="prod")) == [
        "at '/spec/environment': value must be one of 'development', 'staging', 'production'"
    ]
    assert told(development(api={"replicas": 101})) == ["at '/spec/api/replicas': maximum: got 101, want 100"]
    assert told(development(config={"workerPollSeconds": 0})) == [
        "at '/spec/config/workerPollSeconds': exclusiveMinimum: got 0, want 0"
    ]
    assert told(development(api={"resources": {"limits": {"cpu": 0.5}}})) == [
        "at '/spec/api/resources/limits/cpu': got number, want null or integer or string"
    ]
    assert told(development(api={"autoscaling": {"maxReplicas": 3}})) == [
        "at '/spec/api/autoscaling': missing property 'minReplicas'"
    ]


def test_the_schema_says_of_every_field_what_the_type_says():
    def bare(schema: Object) -> Object:
        kept = {key: value for key, value in schema.items() if key in {"description", "maxLength", "maxItems"}}
        return {**kept, **{name: bare(field) for name, field in schema.get("properties", {}).items()}}

    assert bare(SCHEMA) == bare(instance_schema()["properties"]["spec"])


def test_without_values_it_says_where_to_begin():
    files = ", ".join(f"values-{environment}.yaml" for environment in ENVIRONMENTS)
    assert told({}) == [
        f"spec.environment is required: begin with --values and one of {files}",
        "spec.image is required: name the image of the API and the worker",
        "spec.database.mode is required: Managed or External",
        "spec.objectStorage.mode is required: Managed or External",
    ]


@pytest.mark.parametrize(
    ("environment", "fields"),
    [
        ("staging", ["spec.image", "spec.exposure.host"]),
        (
            "production",
            [
                "spec.image", "spec.exposure.host", "spec.objectStorage.external.endpoint",
                "spec.backup.objectStorage.endpoint",
            ],
        ),
    ],
)  # fmt: skip
def test_what_an_environment_leaves_to_its_owner_is_asked_for_at_once(environment: str, fields: list[str]):
    path = INSTANCE / f"values-{environment}.yaml"
    assert [sentence.split(" is required")[0] for sentence in told(values(path))] == fields
    head = path.read_text().split("and, for browsers")[0]
    assert all(f"#   {field} " in head for field in fields)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_a_sentence_that_names_the_field_and_what_to_do(mistake: str):
    change, name, field = MISTAKES[mistake]
    (sentence,) = told(merged(DEVELOPMENT, change), name)
    assert sentence.startswith(f"{field} ")
    assert ": " in sentence


def test_the_notes_say_how_to_watch_it_come_up_and_what_uninstalling_does():
    notes = default(DEVELOPMENT).notes
    assert "kubectl --namespace shop get biltens bilten" in notes
    assert "kubectl --namespace shop wait --for=condition=Ready --timeout=10m bilteninstance/bilten" in notes
    assert "answers under bilten.example.test" in notes
    assert "leaves its database, files and keys there" in notes
    assert "deletes its database, files and keys, too" in default(development(deletionPolicy="Delete")).notes
    assert "answers under" not in default(development(exposure=None, objectStorage={"publicEndpoint": None})).notes


def test_helm_does_not_change_the_values_it_was_given():
    given = copy.deepcopy(DEVELOPMENT)
    default(given)
    assert given == DEVELOPMENT
