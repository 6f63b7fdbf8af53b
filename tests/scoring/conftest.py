"""Small pipelines that are trained in a second, and ways to score with them."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import spacy
from spacy.training import Example

from scripts.scoring.model import Model
from scripts.scoring.run import score_files
from scripts.scoring.settings import Settings
from tests.components.helpers import TRAIN, one_hot

Score = Callable[..., list[dict[str, Any]]]
WORDS = sorted({word.strip(".") for text, _ in TRAIN for word in text.split()})
BAG_OF_WORDS = {
    "@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "length": 4096,
    "ngram_size": 1, "no_output_layer": False,
}  # fmt: skip


def train(factory: str, folder: Path) -> Path:
    """spaCy's own text categorizer on a bag of words."""
    nlp = spacy.blank("en")
    model = {**BAG_OF_WORDS, "exclusive_classes": factory == "textcat"}
    nlp.add_pipe(factory, config={"model": model})
    examples = [Example.from_dict(nlp.make_doc(t), {"cats": c}) for t, c in one_hot(TRAIN)]
    sgd = nlp.initialize(lambda: examples)
    for _ in range(10):
        nlp.update(examples, sgd=sgd)
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def bow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three labels that exclude each other."""
    return train("textcat", tmp_path_factory.mktemp("models") / "bow")


@pytest.fixture(scope="session")
def bow_multi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train("textcat_multilabel", tmp_path_factory.mktemp("models") / "multi")


@pytest.fixture(scope="session")
def model(bow: Path) -> Model:
    return Model(str(bow), batch_size=16)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """All rows below a folder, in the order of its files' names."""
    found = []
    for path in sorted(folder.rglob("[!.]*.parquet")):
        found += pq.read_table(path).to_pylist()
    return found


@pytest.fixture
def score(model: Model, tmp_path: Path) -> Score:
    """score(input, output name, settings) -> all rows of the output."""

    def run(asked: Path | str, output: str = "scores", **settings: Any) -> list[dict[str, Any]]:
        chosen = Settings(**{"column": "text", "batch_size": 16, "rows_per_part": 50, **settings})
        score_files(str(asked), tmp_path / output, model, chosen)
        return rows_of(tmp_path / output)

    return run


def made_up(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """So many rows with texts of words that the models know."""
    rng = random.Random(seed)
    return [{"id": i, "text": " ".join(rng.choices(WORDS, k=8))} for i in range(n)]


def texts(rows: Iterable[dict[str, Any]]) -> list[Any]:
    return [row["text"] for row in rows]
