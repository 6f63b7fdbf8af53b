"""classy-classification as it comes, for comparison: its own class, settings and head."""

from typing import Any

import numpy as np
import spacy
from spacy.language import Language

# As in classy_skeleton.py of version 1.0.2.
DEFAULT_SETTINGS = {
    "C": [1, 2, 5, 10, 20, 50, 100],
    "kernel": ["linear", "rbf", "poly", "sigmoid"],
    "max_cross_validation_folds": 5,
    "seed": None,
}


def make_classy(data: dict[str, list[str]], encoder: Any) -> Any:
    """classy's few-shot component, trained in its constructor, as it always is.

    encoder: stands for the SentenceTransformer, so that a benchmark need not embed a text again.
    """
    from classy_classification import ClassySpacyExternalFewShot

    class Classy(ClassySpacyExternalFewShot):
        def set_embedding_model(self, model: str | None = None, device: str = "cpu") -> None:
            self.encoder = encoder

    return Classy(model="", nlp=spacy.blank("en"), name="classy", data=data, verbose=False)


def make_classifier(data: dict[str, list[str]], model: str) -> Any:
    """classy's few-shot learner without spaCy, as the tutorial uses it, trained in its constructor.

    data: label -> texts, sorted by label. model: What sentence-transformers loads.
    """
    from classy_classification import ClassyClassifier

    return ClassyClassifier(data=data, model=model)


def make_classy_pipeline(data: dict[str, list[str]], model: str) -> Language:
    """A pipeline with classy's component, as its README makes one. Its default settings are spelled
    out: their default of None no longer passes spaCy's validation of a config."""
    import classy_classification  # noqa: F401

    nlp = spacy.blank("en")
    config = {"data": data, "model": model, "device": "cpu", "config": DEFAULT_SETTINGS}
    nlp.add_pipe("classy_classification", config=config)
    return nlp


class Lookup:
    """An encoder that has embedded all texts before."""

    def __init__(self, texts: list[str], embeddings: np.ndarray) -> None:
        self.rows = dict(zip(texts, embeddings, strict=True))
        self.dim = embeddings.shape[1]

    def encode(self, texts: list[str], show_progress_bar: bool = False) -> np.ndarray:
        return np.stack([self.rows[text] for text in texts])
