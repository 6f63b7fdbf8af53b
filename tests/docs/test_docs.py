"""What the README and docs/ say is there: commands with their options, links, messages."""

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest
import srsly
import typer
from confection import Config

from tests.docs.commands import PAGES, ROOT, Command, mentioned, typed

PROJECT = srsly.read_yaml(ROOT / "project.yml")
RUNNABLE = {command["name"] for command in PROJECT["commands"]} | set(PROJECT["workflows"])
LOOP = Config().from_disk(ROOT / "configs" / "loop.cfg")
COMMANDS = sorted(
    {
        command
        for page in PAGES
        for command in [*typed(page), *mentioned(page)]
        if "[name]" not in command.line  # of weasel's own words
    }
)


def is_setting(name: str) -> bool:
    """Whether configs/loop.cfg has a setting of this name, such as loop.batch_size."""
    block: object = LOOP
    for part in name.split("."):
        if not isinstance(block, dict) or part not in block:
            return False
        block = block[part]
    return True


def options_of(module: str, subcommand: str) -> set[str]:
    """The options that a command of scripts/ takes."""
    found = importlib.import_module(module)
    app = getattr(found, "app", None)
    if app is None:
        app = typer.Typer()
        app.command()(found.main)
    command = typer.main.get_command(app)
    command = getattr(command, "commands", {}).get(subcommand, command)
    return {"--help"} | {
        name for option in command.params for name in [*option.opts, *option.secondary_opts]
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: f"{c.page}: {c.line[:60]}")
def test_a_command_of_the_docs_is_there_with_its_options(command: Command) -> None:
    words = shlex.split(re.sub(r"\s[|>&].*", "", command.line))
    options = [word for word in words if word.startswith("--")]
    if words[:2] == ["weasel", "run"]:
        assert words[2].startswith("--") or words[2] in RUNNABLE, f"no command {words[2]}"
        for name in (option for option in options if option.startswith("--vars.")):
            assert name.removeprefix("--vars.").split("=")[0] in PROJECT["vars"], name
    elif words[:2] == ["python", "-m"] and words[2].startswith("scripts."):
        known = options_of(words[2], words[3] if len(words) > 3 else "")
        for option in options:
            assert option in known or is_setting(option.removeprefix("--")), option
    elif words[:2] == ["python", "-m"] and words[2].startswith("tests."):
        assert importlib.util.find_spec(words[2])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", page.read_text()):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_messages_that_are_explained_are_said() -> None:
    """Word by word but for what differs (`...`)."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    messages = re.findall(r"^> `([^`]+)`$", text, re.MULTILINE)
    assert len(messages) > 15
    constants = [
        node.value.replace("`", "")
        for path in [*(ROOT / "scripts").rglob("*.py"), *(ROOT / "components").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    said = "\0".join(constants)
    for message in messages:
        for part in message.split("..."):
            assert part.strip("' ") in said, message
