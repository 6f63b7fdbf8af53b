"""The pipeline that the loop trains again at every step, with its embeddings kept on disk."""

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import srsly

from scripts.active_learning.cross_validation import cross_validate
from scripts.cli.errors import ProjectError
from scripts.data.corpus import Pool
from scripts.loop.embedding_cache import CachedEncoder
from scripts.loop.settings import TEXTCAT, read_textcat
from scripts.records.answers import Answer
from scripts.records.convert import answer_to_example

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.training import Example


EXAMPLES = 5_000  # that are kept


class Learner:
    """Trains configs/textcat.cfg on answers and scores embeddings with it.

    labels: label -> description; their order is the order of all columns.

    spaCy and the pipeline are loaded when they are first used: most of what a command has to say,
    it can say without waiting for them. That there is an encoder is checked at once.
    """

    def __init__(self, config: Path, cache: Path, labels: dict[str, str], pool: Pool) -> None:
        self.config = config
        self.cache = cache
        self.labels = labels
        self.pool = pool
        self.encoder_settings = encoder_settings(config)

    @cached_property
    def nlp(self) -> "Language":
        """RAISES (ProjectError): spaCy cannot make a pipeline of the config."""
        from spacy.util import load_config, load_model_from_config

        import components.code  # noqa: F401
        from scripts.data.pipelines import lean

        config = load_config(self.config)
        try:
            nlp = lean(lambda: load_model_from_config(config, auto_fill=True))
        except (ValueError, ImportError) as err:  # a setting, a function or a language of it
            raise ProjectError(f"{self.config} cannot be used.", str(err).strip()) from None
        textcat: Any = nlp.get_pipe(TEXTCAT)
        textcat.encoder = CachedEncoder(textcat.encoder, self.cache)
        return nlp

    @property
    def textcat(self) -> Any:
        return self.nlp.get_pipe(TEXTCAT)

    @property
    def multi_label(self) -> bool:
        return bool(self.textcat.multi_label)

    @property
    def label_threshold(self) -> float | None:
        """The probability from which a text has a label; None where it has exactly one."""
        return float(self.textcat.threshold) if self.multi_label else None

    @property
    def dim(self) -> int:
        return int((self.encoder_settings or {}).get("dim") or self.textcat.encoder.dim)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32, each text embedded once ever."""
        return self.textcat.encoder.encode(texts)

    def train(self, answers: Sequence[Answer]) -> None:
        """Through spaCy's own door; with no answers the label descriptions alone are the model."""
        self.initialize([self._example(answer) for answer in answers])

    @cached_property
    def _example(self) -> "Callable[[Answer], Example]":
        """The training example of an answer, made once: a step trains about a dozen times."""
        names = list(self.labels)
        return lru_cache(EXAMPLES)(lambda a: answer_to_example(self.nlp.make_doc, a, names))

    def initialize(self, examples: "list[Example]") -> None:
        """Train on examples, with the labels' descriptions and the pool beside them."""
        from spacy.util import registry

        from scripts.data.pipelines import import_classy

        if examples:  # without any, the head learns by itself
            import_classy()
        # By readers, so that no text gets into the config: it would be saved with the pipeline,
        # and spaCy would take a "${...}" in it for a variable.
        registry.readers("loop_descriptions.v1", func=lambda: dict(self.labels))
        # As a function, so that spaCy does not go through all texts each time.
        registry.readers("loop_pool.v1", func=lambda: lambda: self.pool.texts)
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

    def decode_labels(self, chosen: np.ndarray) -> tuple[str, ...]:
        """The names of one text's labels: of a class number, or of zeros and ones (n_labels,)."""
        names = list(self.labels)
        return (names[chosen],) if chosen.ndim == 0 else tuple(np.array(names)[chosen > 0].tolist())

    def decode_all(self, chosen: np.ndarray) -> list[tuple[str, ...]]:
        """The same of many texts: class numbers (n,), or zeros and ones (n, n_labels)."""
        if chosen.ndim > 1:
            return [self.decode_labels(row) for row in chosen]
        alone = [(name,) for name in self.labels]
        return [alone[number] for number in chosen.tolist()]

    def hold_out(
        self, answers: Sequence[Answer], extra: Sequence[Answer] = (), seed: int = 0
    ) -> np.ndarray:
        """What the model thinks of each answer's text without its label, by cross-validation; then
        train on all.

        extra: Machine labels, part of every training set and of no test set.
        RETURNS: Out-of-sample probabilities of the answers, (n, n_labels).
        """

        def fit(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
            self.train([*(answers[i] for i in rows), *extra])
            return self.predict

        embeddings = self.embed([answer.text for answer in answers])
        probs = cross_validate(fit, embeddings, len(self.labels), seed)
        self.train([*answers, *extra])
        return probs


def encoder_settings(config: Path) -> dict[str, Any] | None:
    """What the exported encoder that a pipeline config names says of itself, without loading it.

    RETURNS: None for an encoder of another kind, which has no folder.
    RAISES (ProjectError): The config is damaged, or there is no encoder in the folder.
    """
    encoder = read_textcat(config).get("encoder", {})
    if not encoder.get("path"):
        return None
    path = Path(encoder["path"]) / "encoder.json"
    if not path.exists():
        raise ProjectError(
            f"There is no sentence encoder in {path.parent}.", "Make it first: weasel run encoder"
        )
    return dict(srsly.read_json(path))
