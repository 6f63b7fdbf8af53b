"""project.yml: complete, and documented by its own tool."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import srsly
from weasel.cli.document import project_document
from weasel.cli.run import print_run_help

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
    for folder in ("corpus", "training", "metrics", "reports", "packages", ".argilla"):
        assert f"/{folder}/" in ignored
