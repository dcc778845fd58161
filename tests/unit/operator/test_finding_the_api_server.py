"""The tests find the API server's programs as envtest does."""

from pathlib import Path

import pytest
from support.apiserver import ASSETS, programs

NAMES = ("etcd", "kube-apiserver", "kubectl")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder that KUBEBUILDER_ASSETS names, and the one on PATH; both empty."""
    assets, path = tmp_path / "assets", tmp_path / "path"
    assets.mkdir()
    path.mkdir()
    monkeypatch.setenv(ASSETS, str(assets))
    monkeypatch.setenv("PATH", str(path))
    return assets, path


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch(mode=0o755)


def test_they_are_in_the_folder_that_is_named(folders: tuple[Path, Path]):
    make(folders[0], *NAMES)
    make(folders[1], *NAMES)
    assert programs() == {name: str(folders[0] / name) for name in NAMES}


def test_one_that_the_folder_lacks_may_be_installed_elsewhere(folders: tuple[Path, Path]):
    make(folders[0], "kube-apiserver", "kubectl")
    (folders[0] / "etcd").symlink_to("etcd")
    assert programs() is None
    make(folders[1], "etcd")
    assert (programs() or {})["etcd"] == str(folders[1] / "etcd")


def test_none_is_used_that_nobody_named(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch):
    make(folders[1], *NAMES)
    monkeypatch.delenv(ASSETS)
    assert programs() is None
