"""How often the heads are right, and whether they know it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import spacy
from spacy.training import Example
from spacy.util import registry
from threadpoolctl import threadpool_limits

import components.code  # noqa: F401
from components.classy_textcat import label_text
from components.onnx_encoder import OnnxEncoder
from scripts.active_learning.calibration import calibration_error
from scripts.benchmarks.classy import Lookup, make_classy
from scripts.benchmarks.data import read_labelled, sample_balanced
from scripts.cli.console import msg
from scripts.shipping.encoder import find_model, load_original

TEST_TEXTS = 1500


def brier_score(probs: np.ndarray, y: np.ndarray) -> float:
    """Mean squared distance from the right answer, over all labels: 0 to 2 (Brier 1950)."""
    return float(((probs - np.eye(probs.shape[1])[y]) ** 2).sum(axis=1).mean())


Fit = Callable[[list[str], list[str], list[str]], Callable[[np.ndarray], np.ndarray]]


def ours(head: str, encoder: Any, **settings: Any) -> Fit:
    """Train through spaCy's door. RETURNS: embeddings (n, d) -> probabilities (n, k)."""

    def fit(texts: list[str], gold: list[str], labels: list[str]) -> Any:
        nlp = spacy.blank("en")
        pipe: Any = nlp.add_pipe("classy_textcat")
        pipe.encoder, pipe.classifier = encoder, registry.misc.get(head)(**settings)
        examples = [
            Example.from_dict(nlp.make_doc(text), {"cats": {k: float(k == label) for k in labels}})
            for text, label in zip(texts, gold, strict=True)
        ]
        nlp.initialize(lambda: examples)
        return pipe.predict_embeddings

    return fit


def classy(encoder: Any, *, decisions: bool) -> Fit:
    """classy as it comes, by its probabilities, or by its classifier's own decisions."""

    def fit(texts: list[str], gold: list[str], labels: list[str]) -> Any:
        data: dict[str, list[str]] = {label: [] for label in labels}
        for text, label in zip(texts, gold, strict=True):
            data[label].append(text)
        learner = make_classy(data, encoder)
        if decisions:
            return lambda X: np.eye(len(labels))[learner.clf.predict(X)]
        return lambda X: np.array([list(row.values()) for row in learner.get_prediction(X)])

    return fit


def compare(
    source: str, encoder: OnnxEncoder, model: str, sizes: list[int], seeds: int
) -> Iterator[dict[str, Any]]:
    """Rows of the table: accuracy, calibration error, Brier score and time to fit of each head,
    trained on the same texts and tested on the same others. Embedding is not in the time."""
    texts, gold = read_labelled(source)
    labels = sorted(set(gold))
    y = np.array([labels.index(label) for label in gold])
    X = encoder.encode(texts)
    msg.info(f"{source}: {len(texts)} texts embedded; now with sentence-transformers")
    original = load_original(find_model(model)[0]).encode(texts, show_progress_bar=False)
    names = [label_text(label) for label in labels]
    lookup = Lookup([*texts, *names], np.vstack([X, encoder.encode(names)]))
    theirs = Lookup(texts, original)
    methods: dict[str, tuple[Fit, np.ndarray]] = {
        "classy as it comes (probabilities)": (classy(theirs, decisions=False), original),
        "classy as it comes (its decisions)": (classy(theirs, decisions=True), original),
        "classy_head.svc.v1": (ours("classy_head.svc.v1", lookup), X),
        "classy_head.logistic.v1": (ours("classy_head.logistic.v1", lookup), X),
        "classy_head.kernel.v1": (ours("classy_head.kernel.v1", lookup), X),
        "logistic without label names": (ours("classy_head.logistic.v1", lookup, name_weight=0), X),
    }
    for size in sizes:
        measured: dict[str, list[tuple[float, ...]]] = {name: [] for name in methods}
        for seed in range(seeds):
            train, test = sample_balanced(gold, size, np.random.default_rng(seed))
            test = test[:TEST_TEXTS]
            for name, (fit, embeddings) in methods.items():
                start = time.perf_counter()
                with threadpool_limits(1):
                    predict = fit([texts[i] for i in train], [gold[i] for i in train], labels)
                seconds = time.perf_counter() - start
                probs = predict(embeddings[test])
                accuracy = float((probs.argmax(axis=1) == y[test]).mean())
                error = calibration_error(probs.max(axis=1), probs.argmax(axis=1) == y[test])
                measured[name].append((accuracy, error, brier_score(probs, y[test]), seconds))
        for name, runs in measured.items():
            accuracy, error, brier, _ = np.mean(runs, axis=0)
            honest = "decisions" not in name  # decisions have no certainty to be honest about
            yield {
                "data": source.rpartition("/")[2],
                "labels a class": size,
                "head": name,
                "accuracy": f"{accuracy:.3f} ± {np.std(runs, axis=0)[0]:.3f}",
                "calibration error": f"{error:.3f}" if honest else "",
                "Brier": f"{brier:.3f}" if honest else "",
                "fit (s)": f"{np.median(runs, axis=0)[3]:.2f}",
            }
