"""A folder with a small trained pipeline, and the page as a person sees it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from streamlit.testing.v1 import AppTest

import components.code  # noqa: F401
from scripts.data.docbins import write_docs
from scripts.trying.serve import PAGE
from tests.components.helpers import TRAIN, examples, one_hot

LABELS = ("business", "sport", "tech")
ShowPage = Callable[..., AppTest]


def train(encoder: Path, folder: Path, **config: object) -> Path:
    """On a dozen sentences."""
    nlp = spacy.blank("en")
    settings = {"@misc": "onnx_encoder.v1", "path": str(encoder), "threads": 1}
    nlp.add_pipe("classy_textcat", config={"encoder": settings, **config})
    data = examples(nlp, one_hot(TRAIN))
    nlp.initialize(lambda: data)
    nlp.meta["trained_on"] = {"data": "sentences", "people": len(TRAIN)}
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def model(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels that exclude each other."""
    return train(encoder_folder, tmp_path_factory.mktemp("model") / "one")


@pytest.fixture(scope="session")
def several(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Any number of labels a text, which is given one only when it is all but sure."""
    classifier = {"@misc": "classy_head.logistic.v1"}
    folder = tmp_path_factory.mktemp("model") / "several"
    return train(encoder_folder, folder, classifier=classifier, multi_label=True, threshold=0.999)


@pytest.fixture(scope="session")
def spacy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """spaCy's own text categorizer, which has no sentence encoder."""
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    data = examples(nlp, one_hot(TRAIN))
    nlp.initialize(lambda: data)
    nlp.to_disk(folder := tmp_path_factory.mktemp("model") / "spacy")
    return folder


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sentences as `pull` writes them."""
    nlp, docs = spacy.blank("xx"), []
    for number, example in enumerate(examples(nlp, one_hot(TRAIN))):
        doc = example.reference
        doc.user_data["by"] = "machine" if number % 4 == 3 else "people"
        docs.append(doc)
    write_docs(docs, path := tmp_path_factory.mktemp("labelled") / "train.spacy")
    return path


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, model: Path) -> ShowPage:
    """show(model, labelled) -> the page, run once, without an error on it."""

    def page(model: Path | str, labelled: Path | str = "") -> AppTest:
        arguments = [str(model), str(labelled), str(model.parent / "embeddings")]
        monkeypatch.setattr(sys, "argv", [str(PAGE), *arguments])
        app = AppTest.from_file(str(PAGE), default_timeout=60).run()
        assert not app.exception
        return app

    return page
