"""manifests/dependencies.yaml names the operators that ours was written for, in one version each."""

from urllib.parse import urlsplit

import pytest
import yaml
from bilten_operator.cluster import kinds
from bilten_operator.settings import Settings
from support.charts import PROJECT

NEEDED = yaml.safe_load((PROJECT / "manifests" / "dependencies.yaml").read_text())["dependencies"]
#: Only used where they are there already, and by no version of their own.
ANY = {"gateway.networking.k8s.io", "monitoring.coreos.com"}


@pytest.mark.parametrize("needed", NEEDED, ids=lambda needed: needed["name"])
def test_a_manifest_is_a_release_of_the_version_that_is_named(needed: dict[str, str]):
    address = urlsplit(needed["manifest"])
    assert (address.scheme, address.netloc) == ("https", "github.com")
    assert f"/releases/download/v{needed['version']}/" in address.path


def test_they_bring_every_kind_of_others_that_the_operator_cannot_do_without():
    every = (*kinds.WRITTEN, *kinds.NAMED)
    used = {kind.api_version for kind in every if "." in kind.group and not kind.group.endswith(".k8s.io")}
    assert {version for version in used if version.partition("/")[0] not in ANY} == {
        needed["apiVersion"] for needed in NEEDED if "apiVersion" in needed
    }


def test_cloudnativepg_is_where_the_operator_looks_for_it():
    by_name = {needed["name"]: needed["namespace"] for needed in NEEDED}
    assert by_name["CloudNativePG"] == Settings.model_fields["cnpg_namespace"].default
    # CloudNativePG looks for its plugins beside itself.
    assert by_name["plugin-barman-cloud"] == by_name["CloudNativePG"]
