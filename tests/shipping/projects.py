"""A project that releases, for tests."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.evaluate import main as evaluate
from scripts.package import main as package
from scripts.shipping.release import wheel_of
from scripts.shipping.summary import summarise
from scripts.train import main as train
from tests.loop_fixtures import context_of
from tests.small_data import write_train

NAME = "release_under_test"


@dataclass
class Project:
    """A folder with a corpus, a pipeline and what comes of them."""

    folder: Path
    overrides: list[str]
    meta: list[str] = field(default_factory=list)

    @property
    def files(self) -> tuple[Path, Path]:
        """Scores and promise."""
        return self.metrics / "test.json", self.folder / "reports" / "promise.json"

    @property
    def model(self) -> Path:
        return self.folder / "training" / "model"

    @property
    def packages(self) -> Path:
        return self.folder / "packages"

    @property
    def corpus(self) -> Path:
        return self.folder / "corpus"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics"

    def train(self, people: int, machine: int = 0) -> None:
        """On so many labels, as `pull` writes them."""
        write_train(self.corpus, people, machine)
        train(context_of(self.overrides), self.corpus / "train.spacy", self.model)

    def evaluate(self) -> None:
        evaluate(self.model, self.corpus / "test.spacy", self.metrics / "test.json")

    def release(self, version: str = "", *, scored: bool = False) -> Path:
        """scored: With what `evaluate` and `finish` have found. RETURNS: The wheel."""
        scores, promise = self.files if scored else [self.folder / "none.json"] * 2
        package(self.model, self.packages, NAME, version, scores, promise, self.meta)
        return wheel_of(self.model, self.packages)[1]

    def summarise(self) -> dict[str, Any]:
        return summarise(self.model, self.packages, self.corpus, self.metrics / "test.json")


def make_project(corpus: Path, pipeline: Path, folder: Path) -> Project:
    """With a corpus of its own, and the embeddings of the one that it is copied from."""
    shutil.copytree(corpus, folder / "corpus", ignore=shutil.ignore_patterns("embeddings"))
    overrides = ["--paths.corpus", str(folder / "corpus"), "--paths.pipeline", str(pipeline)]
    return Project(folder, [*overrides, "--paths.cache", str(corpus / "embeddings")])
