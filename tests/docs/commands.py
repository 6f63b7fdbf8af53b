"""The commands that the README and docs/ show, as a reader would copy them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


class Command(NamedTuple):
    """page: Name of the file. line: What is typed, lines that go on joined, without a comment."""

    page: str
    line: str


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def typed(page: Path) -> list[Command]:
    """What the bash blocks of a page say to type."""
    lines = "".join(blocks(page, "bash")).replace("\\\n", " ").splitlines()
    said = (re.split(r"(?:^|\s{2,})#", line)[0].strip() for line in lines)
    return [Command(page.name, re.sub(r"\s+", " ", line)) for line in said if line]


def mentioned(page: Path) -> list[Command]:
    """Commands in a sentence, which may go on in the next line."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`((?:weasel run|python -m|make|pip install) [^`]+)`", text)
    return [Command(page.name, re.sub(r"\s+", " ", line).strip()) for line in found]
