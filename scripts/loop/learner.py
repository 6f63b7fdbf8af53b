"""The pipeline that the loop trains again at every step, with its embeddings kept on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config, load_model_from_config, registry

import components.code  # noqa: F401
from scripts.active_learning.cross_validation import cross_validate
from scripts.data.corpus import Pool
from scripts.loop.embedding_cache import CachedEncoder
from scripts.loop.settings import TEXTCAT
from scripts.records.answers import Answer
from scripts.records.convert import answer_to_example


class Learner:
    """Trains configs/textcat.cfg on answers and scores embeddings with it.

    labels: label -> description; their order is the order of all columns.
    """

    def __init__(self, config: Path, cache: Path, labels: dict[str, str], pool: Pool) -> None:
        self.nlp: Language = load_model_from_config(load_config(config), auto_fill=True)
        self.labels = labels
        self.pool = pool
        self.textcat = cast(Any, self.nlp.get_pipe(TEXTCAT))
        self.textcat.encoder = CachedEncoder(self.textcat.encoder, cache)

    @property
    def multi_label(self) -> bool:
        return bool(self.textcat.multi_label)

    @property
    def label_threshold(self) -> float | None:
        """The probability from which a text has a label; None where it has exactly one."""
        return float(self.textcat.threshold) if self.multi_label else None

    @property
    def dim(self) -> int:
        return int(self.textcat.encoder.dim)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32, each text embedded once ever."""
        return self.textcat.encoder.encode(texts)

    def train(self, answers: Sequence[Answer]) -> None:
        """Through spaCy's own door; with no answers the label descriptions alone are the model."""
        self.initialize([answer_to_example(self.nlp, a, list(self.labels)) for a in answers])

    def initialize(self, examples: list[Example]) -> None:
        """Train on examples, with the labels' descriptions and the pool beside them."""
        # By readers, so that no text gets into the config: it would be saved with the pipeline,
        # and spaCy would take a "${...}" in it for a variable.
        registry.readers("loop_descriptions.v1", func=lambda: dict(self.labels))
        registry.readers("loop_pool.v1", func=lambda: self.pool.texts)
        blocks = self.nlp.config["initialize"]["components"]
        kept = blocks.get(TEXTCAT, {})
        blocks[TEXTCAT] = {
            "label_descriptions": {"@readers": "loop_descriptions.v1"},
            "pool": {"@readers": "loop_pool.v1"},
        }
        try:
            self.nlp.initialize(lambda: examples)
        finally:
            # The saved pipeline's own readers are those of the config file.
            blocks[TEXTCAT] = kept

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        """Probabilities (n, n_labels), columns in the order of the labels."""
        return np.asarray(self.textcat.predict_embeddings(embeddings), dtype=np.float64)

    def targets(self, answers: Sequence[Answer]) -> np.ndarray:
        """Answers as class numbers (n,), or zeros and ones (n, n_labels) in multi-label data."""
        return self.encode_labels([answer.labels for answer in answers])

    def encode_labels(self, labels: Sequence[Sequence[str]]) -> np.ndarray:
        names = list(self.labels)
        if self.multi_label:
            rows = [[int(n in row) for n in names] for row in labels]
            return np.array(rows, dtype=np.int64).reshape(len(rows), len(names))
        return np.array([names.index(label) for (label,) in labels], dtype=np.int64)

    def cross_validate(
        self, answers: Sequence[Answer], extra: Sequence[Answer] = (), folds: int = 5, seed: int = 0
    ) -> np.ndarray:
        """Out-of-sample probabilities of the answers, (n, n_labels).

        extra: Machine labels, part of every training set and of no test set.
        Leaves the pipeline trained on the last fold: call `train` afterwards.
        """

        def fit(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
            self.train([*(answers[i] for i in rows), *extra])
            return self.predict

        embeddings = self.embed([answer.text for answer in answers])
        return cross_validate(fit, embeddings, len(self.labels), folds, seed)
