"""What was typed, pasted or sent as a file -> texts."""

import re
import tempfile
from pathlib import Path

from scripts.cli.errors import ProjectError
from scripts.data.rows import MOST_CHARACTERS, Table, unusable
from scripts.data.sources import load

# A page is to be read; `weasel run score` takes as many as there are.
MOST_TEXTS = 500
WAYS = {
    "One text": None,
    "A text a line": re.compile(r"\n"),
    "Blank lines between texts": re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+"),
}
FILES = ["csv", "tsv", "jsonl", "json"]


def split(typed: str, way: str) -> list[str]:
    """The texts of what was typed, by one of WAYS, without blank ones."""
    pattern = WAYS[way]
    parts = pattern.split(typed) if pattern else [typed]
    return [part.strip() for part in parts if part.strip()]


def check(texts: list[str]) -> list[str]:
    """The texts that can be classified here.

    RAISES (ProjectError): One of them cannot be read, or there are too many.
    """
    if len(texts) > MOST_TEXTS:
        raise ProjectError(
            f"These are {len(texts):,} texts; the page takes {MOST_TEXTS}.",
            "More of them are scored by the installed package: nlp.pipe(texts)",
        )
    for number, text in enumerate(texts, start=1):
        if reason := unusable(text, MOST_CHARACTERS):
            raise ProjectError(f"Text {number} {reason}.")
    return texts


def read_table(name: str, content: bytes) -> Table:
    """A file that was sent: its name says what it is.

    RAISES (ProjectError): It cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{Path(name).suffix.lower()}"
        path.write_bytes(content)
        try:
            table = load(str(path), "", "text", "label")
        except ProjectError as err:
            title, hint = (said.replace(str(path), name) for said in (err.title, err.hint))
            if "--vars.encoding" in hint:  # the page has no such setting
                hint = "Save it as UTF-8."
            raise ProjectError(title, hint) from None
    if not table.columns:
        raise ProjectError(f"{name} is empty.")
    return table
