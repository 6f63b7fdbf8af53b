"""A newcomer's walk: the README's commands as written, on unlabelled texts of their own, in a new
copy of the project with the real server; then those of docs/, in the project that came of it."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import argilla as rg
import pytest

from scripts.argilla_server.install import VENV_VARIABLE
from scripts.argilla_server.manage import read_credentials
from scripts.data.corpus import text_id
from scripts.loop.annotate import annotate
from scripts.records.dataset import LoopDataset
from scripts.records.settings import ArgillaSettings
from tests.argilla_server.fixtures import free_port
from tests.docs.commands import PAGES, ROOT, Command, blocks, typed
from tests.small_data import read_headlines

NAMES = {"sports": "Sports", "business": "Business", "politics": "World"}
BUDGET = 60  # labels by people: enough to see all of it
# What the walk does not type, and why; each of them is in the docs.
NOT_TYPED = {
    r"^git clone|^make ": "the clone and its environment are there: continuous integration does it",
    r"^(source|python -m venv|pip install|try-env/) ?": "the environment is that of the tests",
    r"^(docker|umask|echo) ": "tests/test_compose.py checks it; there is no Docker here",
    r"^export |argilla-move$": "needs another server: tests/records/test_copy.py",
    r"^python -m scripts\.labels (rename|merge|retire|split)": "tests/loop/test_labels.py",
    r"^python -m scripts\.benchmark": "takes hours; tests/benchmarks/ runs each on a few texts",
    r"^weasel run try": "a page that stays: tests/trying/",
    r"publish_dry_run false": "needs the Hugging Face hub: tests/shipping/test_wheel.py",
    r"score_input": "names files of the reader's: tests/scoring/",
}


class Project:
    """A new copy of what git has, with a server of its own."""

    def __init__(self, folder: Path, venv: Path, encoder: Path) -> None:
        self.folder = folder
        there = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        for name in filter(None, there):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        self.edit("project.yml", "argilla_port: 6900", f"argilla_port: {free_port()}")
        self.edit("configs/loop.cfg", "budget = 100", f"budget = {BUDGET}")
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith("ARGILLA_API")
        } | {VENV_VARIABLE: str(venv), "HF_HUB_OFFLINE": "1", "COLUMNS": "80"}
        self.env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{self.env['PATH']}"
        self.gold: dict[str, list[str]] = {}
        self.site = folder.parent / "site"

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    def own_texts(self, name: str, column: str) -> None:
        """A CSV of unlabelled texts, whose labels only the people of this walk know."""
        rows = read_headlines(NAMES)
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([column, "url"])
            writer.writerows([row["text"], "https://example.org"] for row in rows)
        self.gold = {text_id(row["text"]): [NAMES[row["label"]]] for row in rows}

    def type(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self.env | {"PYTHONPATH": str(self.site)},
            text=True, timeout=300, input="y\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        assert "Traceback" not in done.stdout, f"{line}\n{done.stdout}"
        assert "\x1b[K" not in done.stdout, "a progress bar in a file"
        return done.stdout

    def answer(self, dataset: str) -> int:
        """What waits in a data set, as a person who knows the texts answers it."""
        found = read_credentials(self.folder / ".argilla")
        assert found
        client = rg.Argilla(api_url=found.api_url, api_key=found.api_key)
        settings = ArgillaSettings(dataset=dataset, workspace=found.workspace)
        labels = dict.fromkeys(NAMES.values(), "")
        opened = LoopDataset.open(client, settings, labels, dim=None)
        return annotate(opened, self.gold, list(labels), username=found.username)

    def label_live(self, line: str) -> str:
        """`live` in one terminal, people on the page in another, until it ends by itself."""
        live = subprocess.Popen(
            ["bash", "-c", f"exec {line}"], cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        watchdog = threading.Timer(300, live.send_signal, [signal.SIGTERM])
        watchdog.start()
        try:
            while live.poll() is None:
                self.answer("my_texts")
                time.sleep(0.2)
            said = live.communicate()[0]
        finally:
            watchdog.cancel()
            live.kill()
        assert live.returncode == 0, said
        return said


@pytest.fixture(scope="module")
def project(
    argilla_venv: Path, encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("walk") / "clone", argilla_venv, encoder_folder)
    yield made
    made.type("weasel run argilla-stop")


def is_typed(command: Command) -> bool:
    return not any(re.search(pattern, command.line) for pattern in NOT_TYPED)


def test_the_readme_from_own_texts_to_a_package(project: Project, tmp_path: Path) -> None:
    page = PAGES[0]
    project.own_texts("my_texts.csv", "body")
    said = {}
    for command in filter(is_typed, typed(page)):
        if command.line == "weasel run live":
            said[command.line] = project.label_live(command.line)
        else:
            said[command.line] = project.type(command.line)
        if command.line == "weasel run test-set":
            assert project.answer("my_texts-test")
            project.type(command.line)  # "then run it again to write them"
    assert f"The budget of {BUDGET} answers is spent" in said["weasel run live"]
    assert (project.folder / "reports" / "finished.jsonl").exists()
    # "The last line is the `pip install` that takes exactly this wheel."
    install = said["weasel run release"].strip().splitlines()[-1].removeprefix("pip install ")

    # What comes out, as the README uses it, where nothing of the project is.
    (program,) = blocks(page, "python")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*pip, str(project.site), install], cwd=project.folder, check=True)
    program += "print(nlp('The striker scored twice in the final.').cats)"
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True,
        env=project.env | {"PYTHONPATH": str(project.site)},
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    cats = eval(shown.stdout)
    assert max(cats, key=cats.get) == "Sports"
    assert set(cats) == set(NAMES.values())


DOCS = [command for page in PAGES[1:] for command in filter(is_typed, typed(page))]


@pytest.mark.parametrize("command", DOCS, ids=lambda c: f"{c.page}: {c.line[:60]}")
def test_the_docs_in_the_project_that_came_of_it(project: Project, command: Command) -> None:
    if not project.gold:
        pytest.fail("needs the walk of the README before it")
    project.type(command.line)


def test_what_is_not_typed_is_still_in_the_docs() -> None:
    lines = [command.line for page in PAGES for command in typed(page)]
    for pattern in NOT_TYPED:
        assert any(re.search(pattern, line) for line in lines), pattern
