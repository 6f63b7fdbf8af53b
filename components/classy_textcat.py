"""`classy_textcat`: classy-classification's few-shot learner as a spaCy pipeline component.

Training needs classy-classification (and with it torch); everything else needs numpy, and an
encoder and a head that spaCy's registry knows (`onnx_encoder.py`, `evidence_head.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from spacy import util
from spacy.errors import Errors
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry
from spacy.vocab import Vocab

# Said of a label to an encoder that knows sentences. A description is taken as it is.
LABEL_TEMPLATE = "This text is about {}."

DEFAULT_CONFIG: dict[str, Any] = {
    "encoder": {"@misc": "onnx_encoder.v1", "path": "assets/encoder"},
    "classifier": {"@misc": "classy_head.evidence.v1"},
    "multi_label": False,
    "threshold": 0.5,
    "seed": 0,
    "scorer": {"@scorers": "classy_textcat_scorer.v1"},
}
SCORE_WEIGHTS: dict[str, float | None] = {
    "cats_score": 1.0,
    "cats_score_desc": None,
    "cats_micro_p": None,
    "cats_micro_r": None,
    "cats_micro_f": None,
    "cats_macro_p": None,
    "cats_macro_r": None,
    "cats_macro_f": None,
    "cats_macro_auc": None,
    "cats_f_per_type": None,
}


def make_classy_textcat(
    nlp: Language,
    name: str,
    encoder: Any,
    classifier: Callable[..., Any],
    multi_label: bool,
    threshold: float,
    seed: int,
    scorer: Callable[..., Any] | None,
) -> "ClassyTextcat":
    """Create a text categorizer.

    encoder: anything with `encode`, `dim`, `fingerprint` and spaCy's four serialization methods.
    classifier: a head (see `classy_heads.py`).
    multi_label: whether a text may have any number of the labels, instead of exactly one.
    threshold: score from which a label counts as given when multi-label predictions are scored.
    """
    # `spacy package` writes these into the package, which needs nothing else.
    requirements = nlp.meta.setdefault("requirements", [])
    requirements += [req for req in getattr(encoder, "requirements", ()) if req not in requirements]
    return ClassyTextcat(
        nlp.vocab,
        encoder,
        classifier,
        name,
        multi_label=multi_label,
        threshold=threshold,
        seed=seed,
        scorer=scorer,
    )


# Every package of this project brings this file, and spaCy takes a name once in a process.
if not Language.has_factory("classy_textcat"):
    Language.factory(
        "classy_textcat",
        assigns=["doc.cats"],
        default_config=DEFAULT_CONFIG,
        default_score_weights=SCORE_WEIGHTS,
        func=make_classy_textcat,
    )


def classy_textcat_score(
    examples: Iterable[Example],
    *,
    labels: Sequence[str],
    multi_label: bool,
    threshold: float,
    **kwargs: Any,
) -> dict[str, Any]:
    # One label is given or not; the highest of one is no decision.
    multi_label = multi_label or len(labels) == 1
    return Scorer.score_cats(
        examples,
        "cats",
        labels=labels,
        multi_label=multi_label,
        threshold=threshold if multi_label else None,
        **kwargs,
    )


@registry.scorers("classy_textcat_scorer.v1")
def make_classy_textcat_scorer() -> Callable[..., dict[str, Any]]:
    return classy_textcat_score


class ClassyTextcat(Pipe):
    """Predicts `doc.cats` from one sentence embedding a text."""

    def __init__(
        self,
        vocab: Vocab,
        encoder: Any,
        classifier: Callable[..., Any],
        name: str = "classy_textcat",
        *,
        multi_label: bool = False,
        threshold: float = 0.5,
        seed: int = 0,
        scorer: Callable[..., Any] | None = classy_textcat_score,
    ) -> None:
        self.vocab = vocab
        self.name = name
        self.encoder = encoder
        self.classifier = classifier
        self.scorer = scorer
        self.seed = seed
        self.cfg: dict[str, Any] = {
            "labels": [],
            "multi_label": multi_label,
            "threshold": threshold,
            # Kept, so that who trains a package again need not know them.
            "label_descriptions": {},
            # The kind of head, and where each label is among the head's columns.
            "head": None,
            "columns": [],
        }
        self._arrays: dict[str, np.ndarray] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        return list(self.cfg["labels"])

    @property
    def multi_label(self) -> bool:
        return self.cfg["multi_label"]

    @property
    def threshold(self) -> float:
        return self.cfg["threshold"]

    def __call__(self, doc: Doc) -> Doc:
        error_handler = self.get_error_handler()
        try:
            self.set_annotations([doc], self.predict([doc]))
        except Exception as err:
            error_handler(self.name, self, [doc], err)
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        error_handler = self.get_error_handler()
        for docs in util.minibatch(stream, size=batch_size):
            try:
                self.set_annotations(docs, self.predict(docs))
            except Exception as err:
                error_handler(self.name, self, docs, err)
            else:
                yield from docs

    def predict(self, docs: Iterable[Doc]) -> np.ndarray:
        """RETURNS float64 (n, n_labels): probabilities in the order of `labels`."""
        self._require_initialized()
        texts = [doc.text for doc in docs]
        if not texts:
            return np.zeros((0, len(self.labels)))
        return self.predict_embeddings(self.encoder.encode(texts))

    def predict_embeddings(self, X: np.ndarray) -> np.ndarray:
        """Probabilities of texts that are embedded already: (n, dim) -> float64 (n, n_labels)."""
        self._require_initialized()
        scores = registry.misc.get(f"classy_scores.{self.cfg['head']}.v1")
        return scores(self._arrays, X)[:, self.cfg["columns"]]

    def _require_initialized(self) -> None:
        if self.cfg["head"] is None:
            raise ValueError(Errors.E109.format(name=self.name))

    def set_annotations(self, docs: Iterable[Doc], scores: np.ndarray) -> None:
        for doc, row in zip(docs, scores.tolist(), strict=True):
            doc.cats.update(zip(self.labels, row, strict=True))

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: list[str] | None = None,
        label_descriptions: dict[str, str] | None = None,
        pool: list[str] | Callable[[], Sequence[str]] | None = None,
    ) -> None:
        """Learn from the gold `cats` of examples, replacing whatever was learned before.

        labels: the labels to predict, in this order; by default those that are described, then
            those that the examples have, sorted. A label may be without an example. Without any
            example, texts are compared with the labels' names or descriptions (zero-shot).
        label_descriptions: what a label means, in a sentence or two, for some or all labels; by
            default what was said before of the labels that the examples have.
        pool: unlabelled texts, for heads that learn from them; or a function that returns them,
            as spaCy goes through each item of a list, which takes long where there are many.

        RAISES ValueError: no labels at all, labels that are no strings, or examples that contradict
            `multi_label`.
        """
        examples = [example.reference for example in get_examples() if example.reference.cats]
        if labels is None:
            seen = {label for doc in examples for label in doc.cats}
            if not all(isinstance(label, str) for label in seen):
                raise ValueError(Errors.E187)
            labels = [*(label_descriptions or ()), *sorted(seen)]
        labels = list(dict.fromkeys(labels))
        if not labels:
            raise ValueError(
                f"'{self.name}' has no labels to learn: initialize it with examples that have "
                "`cats`, or give labels in [initialize.components]."
            )
        if callable(pool):
            pool = list(pool())
        # The head sees labels as classy does, in the order of the alphabet.
        head_labels = sorted(labels)
        texts, Y = self._gold(examples, head_labels)
        if label_descriptions is None:
            label_descriptions = self.cfg["label_descriptions"]
        descriptions = {n: label_descriptions[n] for n in labels if n in label_descriptions}
        options = {
            "multi_label": self.multi_label,
            "label_embeddings": self.encoder.encode(
                [label_text(label, descriptions.get(label)) for label in head_labels]
            ),
            "pool": self.encoder.encode(pool) if pool else None,
            "seed": self.seed,
        }
        if texts:
            head = _learn(self.encoder, self.classifier, texts, Y, options)
        else:
            # classy learns from examples only; a head makes do with names and pool.
            nothing = np.zeros((0, self.encoder.dim), dtype=np.float32)
            head = self.classifier(nothing, Y, **options)
        self.cfg.update(
            labels=labels,
            label_descriptions=descriptions,
            head=head.kind,
            columns=[head_labels.index(label) for label in labels],
        )
        self._arrays = head.arrays

    def _gold(self, examples: list[Doc], labels: list[str]) -> tuple[list[str], np.ndarray]:
        """Texts that say something about these labels, and a (n, n_labels) matrix of 0.0 and 1.0.
        Other labels in `cats` belong to other components. A label not mentioned counts as 0."""
        texts, rows = [], []
        for doc in examples:
            row = [float(doc.cats.get(label, 0.0) >= 0.5) for label in labels]
            if self.multi_label or len(labels) == 1:
                known = any(label in doc.cats for label in labels)
            else:
                known = any(row)
                if sum(row) > 1:
                    given = ", ".join(
                        label for label, value in zip(labels, row, strict=True) if value
                    )
                    raise ValueError(
                        f"'{self.name}' has labels that exclude each other, but a text has "
                        f"several ({given}): '{doc.text[:60]}'. Correct it, or set "
                        "multi_label = true."
                    )
            if known:
                texts.append(doc.text)
                rows.append(row)
        return texts, np.array(rows).reshape(len(texts), len(labels))

    def to_bytes(self, *, exclude: Sequence[str] = ()) -> bytes:
        return util.to_bytes(
            {
                "cfg": lambda: srsly.json_dumps(self.cfg),
                "head": lambda: srsly.msgpack_dumps(self._arrays),
                "encoder": self.encoder.to_bytes,
                "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
            },
            exclude,
        )

    def from_bytes(self, bytes_data: bytes, *, exclude: Sequence[str] = ()) -> "ClassyTextcat":
        util.from_bytes(
            bytes_data,
            {
                "cfg": lambda b: self.cfg.update(srsly.json_loads(b)),
                "head": self._set_arrays,
                "encoder": lambda b: self.encoder.from_bytes(b),
                "vocab": lambda b: self.vocab.from_bytes(b, exclude=exclude),
            },
            exclude,
        )
        return self

    def to_disk(self, path: str | Path, *, exclude: Sequence[str] = ()) -> None:
        util.to_disk(
            path,
            {
                "cfg": lambda p: srsly.write_json(p, self.cfg),
                "head": lambda p: srsly.write_msgpack(p, self._arrays),
                "encoder": lambda p: self.encoder.to_disk(p),
                "vocab": lambda p: self.vocab.to_disk(p, exclude=exclude),
            },
            exclude,
        )

    def from_disk(self, path: str | Path, *, exclude: Sequence[str] = ()) -> "ClassyTextcat":
        util.from_disk(
            path,
            {
                "cfg": lambda p: self.cfg.update(srsly.read_json(p)),
                "head": lambda p: self._set_arrays(p.read_bytes()),
                "encoder": lambda p: self.encoder.from_disk(p),
                "vocab": lambda p: self.vocab.from_disk(p, exclude=exclude),  # type: ignore[dict-item]
            },
            exclude,
        )
        return self

    def _set_arrays(self, data: bytes) -> None:
        self._arrays = {key: np.array(value) for key, value in srsly.msgpack_loads(data).items()}


def label_text(label: str, description: str | None = None) -> str:
    """What the encoder is told of a label: its description, or its name in a sentence."""
    if description and description != label:
        return description
    return LABEL_TEMPLATE.format(label.replace("_", " "))


def _learn(
    encoder: Any,
    fit: Callable[..., Any],
    texts: list[str],
    Y: np.ndarray,
    options: dict[str, Any],
) -> Any:
    """Let classy-classification's learner embed the texts and train `fit` as its classifier.

    Y: (n, n_labels), labels in the order of the alphabet. classy keeps examples as a dict of label
    -> texts and numbers the labels twice, by insertion and by the alphabet; here they are called
    "00000001", so that both orders are the one of Y. A number past the last label holds multi-label
    texts that have no label.
    """
    from classy_classification import ClassySpacyExternalFewShot

    n_labels = Y.shape[1]

    class Learner(ClassySpacyExternalFewShot):
        def __init__(self) -> None:
            # classy's own constructor would download a model and register an extension.
            self.encoder = encoder
            self.multi_label = options["multi_label"] or n_labels == 1
            self.verbose = False

        def set_classification_model(self, config: dict[str, Any] | None = None) -> None:
            """Fit the head on what classy prepared: self.X (n, dim), self.y and their labels."""
            columns = [int(key) for key in self.le.classes_]
            y = self.y if self.multi_label else np.eye(len(columns))[self.y]
            gold = np.zeros((len(y), n_labels + 1))
            gold[:, columns] = y
            self.clf = fit(np.asarray(self.X), gold[:, :n_labels], **options)

    data: dict[str, list[str]] = {}
    for text, row in zip(texts, Y, strict=True):
        for column in np.flatnonzero(row) if row.any() else [n_labels]:
            data.setdefault(f"{column:08}", []).append(text)
    learner = Learner()
    learner.set_training_data({key: data[key] for key in sorted(data)})
    return learner.clf
