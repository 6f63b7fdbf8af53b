"""Scores on the test set, by spaCy's own `evaluate`, and how sure they are."""

from pathlib import Path
from typing import Any

import numpy as np
import spacy
import srsly
from spacy.cli.evaluate import evaluate as spacy_evaluate

import components.code  # noqa: F401
from scripts.data.docbins import read_docs
from scripts.data.pipelines import Categorizer, categorizer, lean, load
from scripts.shipping.release import fingerprint

DRAWS = 4000
CONFIDENCE = 0.95


def evaluate(model: Path, test: Path, output: Path) -> dict[str, Any]:
    """Print what `spacy evaluate` prints and write what it writes, and beside it: "n", the texts;
    "accuracy", the share of texts with exactly the right label(s); "macro_f_interval"; "per_label",
    the texts that have it ("n") and the interval of its F ("f_interval"); and the "fingerprint" of
    the pipeline."""
    nlp, docs = load(model), read_docs(test)
    found = categorizer(nlp, model)
    # Once it has begun, it keeps the embeddings of the texts that the pipeline of `spacy evaluate`
    # makes: they are made once for both, and there, so that the speed which that tells is true.
    nlp(docs[0].text)
    output.parent.mkdir(parents=True, exist_ok=True)
    scores = lean(lambda: spacy_evaluate(str(model), test, output=output, silent=False))
    gold, predicted = decisions(nlp, found, docs)
    scores["n"] = len(gold)
    scores["accuracy"] = float((gold == predicted).all(axis=1).mean())
    scores["macro_f_interval"] = macro_f_interval(gold, predicted)
    texts, intervals = gold.sum(axis=0), f_intervals(gold, predicted)
    scores["per_label"] = {
        label: {"n": int(n), "f_interval": interval}
        for label, n, interval in zip(found.labels, texts, intervals, strict=True)
    }
    scores["fingerprint"] = fingerprint(model)
    srsly.write_json(output, scores)
    return scores


def decisions(
    nlp: spacy.Language, by: Categorizer, docs: list[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Labels given and labels predicted: two boolean arrays (n, n_labels)."""
    gold = np.array([[doc.cats.get(n, 0.0) >= 0.5 for n in by.labels] for doc in docs])
    found = nlp.pipe(doc.text for doc in docs)
    probs = np.array([[doc.cats[n] for n in by.labels] for doc in found])
    if by.threshold is not None:
        return gold, probs >= by.threshold
    return gold, np.eye(len(by.labels), dtype=bool)[probs.argmax(axis=1)]


def macro_f_interval(gold: np.ndarray, predicted: np.ndarray) -> list[float]:
    """95 % interval of the macro-F: percentiles of a Bayesian bootstrap (Rubin 1981), each label
    with half a text right and half a text wrong beside those of the test set (Jeffreys' prior of
    its F; Goutte & Gaussier 2005, "A Probabilistic Interpretation of Precision, Recall and
    F-score"). So a test set of ten right answers does not claim to be sure.

    gold, predicted: Boolean, (n, n_labels). A label that is neither given nor predicted counts 0,
    as in spaCy's `cats_macro_f`.
    """
    known = (gold | predicted).any(axis=0)
    if not known.any():
        return [0.0, 0.0]
    share = float(known.mean())
    right, wrong = _counts(gold[:, known], predicted[:, known])
    value = share * float(np.mean(2 * right / (2 * right + wrong)))
    return _interval(share * _f_draws(gold[:, known], predicted[:, known]).mean(axis=1), value)


def f_intervals(gold: np.ndarray, predicted: np.ndarray) -> list[list[float] | None]:
    """The same of each label's own F; None for a label that is neither given nor predicted."""
    draws, (right, wrong) = _f_draws(gold, predicted), _counts(gold, predicted)
    return [
        _interval(draws[:, k], 2 * right[k] / (2 * right[k] + wrong[k]))
        if right[k] + wrong[k]
        else None
        for k in range(gold.shape[1])
    ]


def _counts(gold: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each label, texts where it is given and predicted, and where it is only one of both."""
    return (gold & predicted).sum(axis=0), (gold ^ predicted).sum(axis=0)


def _f_draws(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """F of each label in each draw: (DRAWS, n_labels)."""
    rng = np.random.default_rng(0)
    weight = rng.standard_gamma(1.0, (DRAWS, len(gold)))
    half = rng.standard_gamma(0.5, (2, DRAWS, gold.shape[1]))
    hits, errors = weight @ (gold & predicted) + half[0], weight @ (gold ^ predicted) + half[1]
    return 2 * hits / (2 * hits + errors)


def _interval(draws: np.ndarray, value: float) -> list[float]:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    # All right, or all wrong: the draws exclude the value itself.
    return [min(float(low), float(value)), max(float(high), float(value))]
