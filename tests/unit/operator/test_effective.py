"""What a resource leaves out is filled in while it is read, and nowhere else."""

import copy
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from bilten_operator.api.block import Environment
from bilten_operator.api.spec import effective
from pydantic import ValidationError

SAMPLES = Path(__file__).parents[3] / "manifests" / "samples"
ENVIRONMENTS = get_args(Environment)


def spec(environment: str = "development", **more: Any) -> dict[str, Any]:
    least = {"image": "bilten:1", "database": {"mode": "Managed"}, "objectStorage": {"mode": "Managed"}}
    return {"environment": environment, **least, **more}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_spec_of_four_fields_is_complete_in_every_environment(environment: str):
    read = effective(spec(environment))
    assert read.database.managed
    assert read.object_storage.managed
    assert read.api.replicas
    assert read.api.resources.requests
    assert read.exposure.mode == "None"
    assert read.deletion_policy == "Retain"
    assert read.drift_policy == "Correct"
    assert not read.paused


def test_production_is_larger_than_development_where_nothing_is_said():
    development, production = effective(spec()), effective(spec("production"))
    assert development.database.managed
    assert production.database.managed
    assert development.database.managed.instances == 1
    assert production.database.managed.instances == 3
    assert (development.api.replicas, production.api.replicas) == (1, 2)
    assert (development.monitoring.enabled, production.monitoring.enabled) == (False, True)


def test_reading_leaves_the_stored_spec_as_it_was_written():
    stored = spec("production", api={"autoscaling": {"minReplicas": 1, "maxReplicas": 2}})
    before = copy.deepcopy(stored)
    effective(stored)
    assert stored == before


def test_what_is_said_wins_over_the_environment():
    read = effective(spec(api={"replicas": 0}, database={"mode": "Managed", "managed": {"storage": {"size": "7Gi"}}}))
    assert read.api.replicas == 0
    assert read.database.managed
    assert read.database.managed.storage.size == "7Gi"
    assert read.database.managed.instances == 1


def test_given_resources_replace_the_default_as_a_whole():
    resources = effective(spec(api={"resources": {"limits": {"cpu": 1}}})).api.resources
    assert resources.model_dump(exclude_none=True) == {"limits": {"cpu": "1"}}


def test_autoscaling_decides_the_number_of_pods_alone():
    api = effective(spec("production", api={"autoscaling": {"minReplicas": 2, "maxReplicas": 4}})).api
    assert api.replicas is None
    assert api.autoscaling
    assert api.autoscaling.target_cpu_percent == 70


@pytest.mark.parametrize(("environment", "kept"), [("development", False), ("staging", True), ("production", True)])
def test_a_managed_database_worth_keeping_is_backed_up_unasked(environment: str, kept: bool):
    assert (effective(spec(environment)).backup is not None) is kept


def test_a_database_of_others_is_theirs_to_back_up():
    database = {"mode": "External", "external": {"secretRef": {"name": "database"}}}
    read = effective(spec("production", database=database))
    assert read.backup is None
    assert read.database.managed is None


def test_what_the_status_shows_reads_back_as_the_same():
    shown = effective(spec("staging")).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert effective(shown) == effective(spec("staging"))


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_can_be_read(sample: Path):
    stored = yaml.safe_load(sample.read_text())
    assert effective(stored["spec"]).environment == stored["spec"]["environment"]


def test_a_field_that_this_operator_does_not_know_is_an_error_and_not_ignored():
    with pytest.raises(ValidationError, match="hibernate"):
        effective(spec(hibernate=True))
