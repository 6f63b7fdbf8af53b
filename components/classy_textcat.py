"""`classy_textcat`: classy-classification's few-shot learner as a spaCy pipeline component.

Training needs classy-classification (and with it torch); everything else needs numpy, and an
encoder and a head that spaCy's registry knows (`onnx_encoder.py` and `classy_heads.py`).
"""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

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

DEFAULT_CONFIG: Dict[str, Any] = {
    "encoder": {"@misc": "onnx_encoder.v1", "path": "assets/encoder"},
    "classifier": {"@misc": "classy_head.logistic.v1"},
    "multi_label": False,
    "threshold": 0.5,
    "seed": 0,
    "scorer": {"@scorers": "classy_textcat_scorer.v1"},
}


@Language.factory(
    "classy_textcat",
    assigns=["doc.cats"],
    default_config=DEFAULT_CONFIG,
    default_score_weights={
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
    },
)
def make_classy_textcat(
    nlp: Language,
    name: str,
    encoder: Any,
    classifier: Callable[..., Any],
    multi_label: bool,
    threshold: float,
    seed: int,
    scorer: Optional[Callable[..., Any]],
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


def classy_textcat_score(
    examples: Iterable[Example], *, multi_label: bool, threshold: float, **kwargs: Any
) -> Dict[str, Any]:
    return Scorer.score_cats(
        examples,
        "cats",
        multi_label=multi_label,
        threshold=threshold if multi_label else None,
        **kwargs,
    )


@registry.scorers("classy_textcat_scorer.v1")
def make_classy_textcat_scorer() -> Callable[..., Dict[str, Any]]:
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
        scorer: Optional[Callable[..., Any]] = classy_textcat_score,
    ) -> None:
        self.vocab = vocab
        self.name = name
        self.encoder = encoder
        self.classifier = classifier
        self.scorer = scorer
        self.seed = seed
        self.cfg: Dict[str, Any] = {
            "labels": [],
            "multi_label": multi_label,
            "threshold": threshold,
            "head": None,
        }
        self._arrays: Dict[str, np.ndarray] = {}

    @property
    def labels(self) -> Tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
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
        texts = [doc.text for doc in docs]
        if not texts:
            return np.zeros((0, len(self.labels)))
        return self.predict_embeddings(self.encoder.encode(texts))

    def predict_embeddings(self, X: np.ndarray) -> np.ndarray:
        """Probabilities of texts that are embedded already: (n, dim) -> float64 (n, n_labels)."""
        if self.cfg["head"] is None:
            raise ValueError(Errors.E109.format(name=self.name))
        return registry.misc.get(f"classy_scores.{self.cfg['head']}.v1")(self._arrays, X)

    def set_annotations(self, docs: Iterable[Doc], scores: np.ndarray) -> None:
        for doc, row in zip(docs, scores.tolist()):
            doc.cats.update(zip(self.labels, row))

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        label_descriptions: Optional[Dict[str, str]] = None,
        pool: Optional[List[str]] = None,
    ) -> None:
        """Learn from the gold `cats` of examples, replacing whatever was learned before.

        labels: the labels to predict, in this order; by default those that the examples have,
            sorted. A label may be without an example. Without any example, texts are compared
            with the labels' names or descriptions (zero-shot).
        label_descriptions: what a label means, in a sentence or two, for some or all labels.
        pool: unlabelled texts, for heads that learn from them.

        RAISES ValueError: no labels at all, or examples that contradict `multi_label`.
        """
        texts, cats = [], []
        for example in get_examples():
            if example.reference.cats:
                texts.append(example.reference.text)
                cats.append(example.reference.cats)
        if labels is None:
            labels = sorted(set().union(*cats))
        labels = list(dict.fromkeys(labels))
        if not labels:
            raise ValueError(
                f"'{self.name}' has no labels to learn: initialize it with examples that have "
                "`cats`, or give labels in [initialize.components]."
            )
        texts, Y = self._gold(texts, cats, labels)
        meanings = [(label_descriptions or {}).get(label) for label in labels]
        label_embeddings = self.encoder.encode(
            [
                meaning or LABEL_TEMPLATE.format(label.replace("_", " "))
                for label, meaning in zip(labels, meanings)
            ]
        )
        fit = self.classifier if texts else registry.misc.get("classy_head.zero_shot.v1")()
        options = {
            "multi_label": self.multi_label,
            "label_embeddings": label_embeddings,
            "pool": self.encoder.encode(list(pool)) if pool else None,
            "seed": self.seed,
        }
        if texts:
            head = _learn(self.encoder, fit, texts, Y, options)
        else:
            head = fit(np.zeros((0, self.encoder.dim), dtype=np.float32), Y, **options)
        self.cfg["labels"] = labels
        self.cfg["head"] = head.kind
        self._arrays = head.arrays

    def _gold(
        self, texts: List[str], cats: List[Dict[str, float]], labels: List[str]
    ) -> Tuple[List[str], np.ndarray]:
        """Texts that say something about these labels, and a (n, n_labels) matrix of 0.0 and 1.0.
        Other labels in `cats` belong to other components. A label not mentioned counts as 0."""
        Y = np.array([[float(row.get(label, 0.0) >= 0.5) for label in labels] for row in cats])
        Y = Y.reshape(len(cats), len(labels))
        if self.multi_label or len(labels) == 1:
            keep = np.array([any(label in row for label in labels) for row in cats], dtype=bool)
        else:
            for text, row in zip(texts, Y):
                if row.sum() > 1:
                    both = ", ".join(label for label, value in zip(labels, row) if value)
                    raise ValueError(
                        f"'{self.name}' has labels that exclude each other, but a text has "
                        f"several ({both}): '{text[:60]}'. Correct it, or set multi_label = true."
                    )
            keep = Y.sum(axis=1) == 1
        return [text for text, kept in zip(texts, keep) if kept], Y[keep]

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

    def to_disk(self, path: Union[str, Path], *, exclude: Sequence[str] = ()) -> None:
        util.to_disk(
            path,
            {
                "cfg": lambda p: srsly.write_json(p, self.cfg),
                "head": lambda p: p.write_bytes(srsly.msgpack_dumps(self._arrays)),
                "encoder": lambda p: self.encoder.to_disk(p),
                "vocab": lambda p: self.vocab.to_disk(p, exclude=exclude),
            },
            exclude,
        )

    def from_disk(self, path: Union[str, Path], *, exclude: Sequence[str] = ()) -> "ClassyTextcat":
        util.from_disk(
            path,
            {
                "cfg": lambda p: self.cfg.update(srsly.read_json(p)),
                "head": lambda p: self._set_arrays(p.read_bytes()),
                "encoder": lambda p: self.encoder.from_disk(p),
                "vocab": lambda p: self.vocab.from_disk(p, exclude=exclude),
            },
            exclude,
        )
        return self

    def _set_arrays(self, data: bytes) -> None:
        self._arrays = {key: np.array(value) for key, value in srsly.msgpack_loads(data).items()}


def _learn(
    encoder: Any,
    fit: Callable[..., Any],
    texts: List[str],
    Y: np.ndarray,
    options: Dict[str, Any],
) -> Any:
    """Let classy-classification's learner embed the texts and train `fit` as its classifier.

    classy keeps examples as a dict of label -> texts. Labels are numbered here ("00000001"), so
    that its two label orders (of insertion and of the alphabet) are the same one, and a number
    past the last label holds multi-label texts that have no label.
    """
    from classy_classification import ClassySpacyExternalFewShot

    n_labels = Y.shape[1]

    class Learner(ClassySpacyExternalFewShot):
        def __init__(self) -> None:
            # classy's own constructor would download a model and register an extension.
            self.encoder = encoder
            self.multi_label = options["multi_label"] or n_labels == 1
            self.verbose = False

        def set_classification_model(self, config: Optional[Dict[str, Any]] = None) -> None:
            """Fit the head on what classy prepared: self.X (n, dim), self.y and their labels."""
            columns = [int(key) for key in self.le.classes_]
            y = self.y if self.multi_label else np.eye(len(columns))[self.y]
            gold = np.zeros((len(y), n_labels + 1))
            gold[:, columns] = y
            self.clf = fit(np.asarray(self.X), gold[:, :n_labels], **options)

    data: Dict[str, List[str]] = {}
    for text, row in zip(texts, Y):
        for column in np.flatnonzero(row) if row.any() else [n_labels]:
            data.setdefault(f"{column:08}", []).append(text)
    learner = Learner()
    learner.set_training_data({key: data[key] for key in sorted(data)})
    return learner.clf
