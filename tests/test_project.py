"""project.yml: complete, and documented by its own tool."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import pytest
import srsly
from weasel.cli.document import project_document
from weasel.cli.run import check_rerun, print_run_help, update_lockfile

ROOT = Path(__file__).parent.parent
PROJECT = srsly.read_yaml(ROOT / "project.yml")


def test_the_readme_has_the_current_table_of_commands(tmp_path: Path) -> None:
    shutil.copy(ROOT / "README.md", tmp_path / "README.md")
    project_document(ROOT, tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text() == (ROOT / "README.md").read_text(), (
        "run: weasel document --output README.md"
    )


def test_every_command_has_help_and_a_script_that_exists() -> None:
    names = [command["name"] for command in PROJECT["commands"]]
    assert len(set(names)) == len(names)
    for command in PROJECT["commands"]:
        assert command["help"]
        for line in command["script"]:
            python, option, module = shlex.split(line)[:3]
            assert (python, option) == ("python", "-m")
            assert importlib.util.find_spec(module), module
    for steps in PROJECT["workflows"].values():
        assert set(steps) <= set(names)
    print_run_help(ROOT, "step")


def test_every_var_is_used_and_every_use_is_a_var() -> None:
    used = set(re.findall(r"\$\{vars\.(\w+)\}", (ROOT / "project.yml").read_text()))
    assert used == set(PROJECT["vars"])


def test_generated_folders_are_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    for folder in (
        *("corpus", "training", "metrics", "reports", "packages", "export", "backups", "scores"),
        ".argilla",
    ):
        assert f"/{folder}/" in ignored


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("train", "configs/loop.cfg"),
        ("train", "configs/textcat_multilabel.cfg"),
        ("train", "components/classy_textcat.py"),
        ("train", "corpus/train.spacy"),
        ("evaluate", "corpus/test.spacy"),
        ("evaluate", "training/model/meta.json"),
        ("evaluate", "components/classy_textcat.py"),
    ],
)
def test_what_a_release_is_made_of_is_watched(name: str, changed: str, tmp_path: Path) -> None:
    (command,) = (one for one in PROJECT["commands"] if one["name"] == name)
    for folder in ("configs", "components"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in ("corpus/labels.json", "training/model/meta.json"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for dep in command["deps"]:  # there is no test set, and weasel refuses what lacks a dep
        assert dep != "corpus/test.spacy"
    update_lockfile(tmp_path, command)
    assert not check_rerun(tmp_path, command)
    with (tmp_path / changed).open("a") as file:
        file.write("#")
    assert check_rerun(tmp_path, command)
