"""Scores on the test set, by spaCy's own `evaluate`, and how sure they are."""

from pathlib import Path
from typing import Any

import numpy as np
import spacy
import srsly
from scipy.stats import bootstrap
from spacy.cli.evaluate import evaluate as spacy_evaluate

import components.code  # noqa: F401
from scripts.data.docbins import read_docs
from scripts.shipping.release import fingerprint

RESAMPLES = 1000
CONFIDENCE = 0.95


def evaluate(model: Path, test: Path, output: Path) -> dict[str, Any]:
    """Print what `spacy evaluate` prints and write what it writes, and beside it: "n", the texts;
    "accuracy", the share of texts with exactly the right label(s); "macro_f_interval"; and the
    "fingerprint" of the pipeline."""
    # Loaded before, it keeps the embeddings of the texts: they are made once for both.
    nlp = spacy.load(model)
    output.parent.mkdir(parents=True, exist_ok=True)
    scores = spacy_evaluate(str(model), test, output=output, silent=False)
    gold, predicted = decisions(nlp, read_docs(test))
    scores["n"] = len(gold)
    scores["accuracy"] = float((gold == predicted).all(axis=1).mean())
    scores["macro_f_interval"] = interval(gold, predicted)
    scores["fingerprint"] = fingerprint(model)
    srsly.write_json(output, scores)
    return scores


def decisions(nlp: spacy.Language, docs: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Labels given and labels predicted: two boolean arrays (n, n_labels)."""
    textcat: Any = nlp.get_pipe("classy_textcat")
    gold = np.array([[doc.cats.get(n, 0.0) >= 0.5 for n in textcat.labels] for doc in docs])
    found = nlp.pipe(doc.text for doc in docs)
    probs = np.array([[doc.cats[n] for n in textcat.labels] for doc in found])
    if textcat.multi_label:
        return gold, probs >= textcat.threshold
    return gold, np.eye(len(textcat.labels), dtype=bool)[probs.argmax(axis=1)]


def macro_f(gold: np.ndarray, predicted: np.ndarray, share: float) -> float:
    """Mean F-score of the labels that are given or predicted, times their share of all labels:
    spaCy's `cats_macro_f` counts 0 for the others."""
    right = (gold & predicted).sum(axis=0)
    total = gold.sum(axis=0) + predicted.sum(axis=0)
    known = total > 0
    return share * float(np.mean(2 * right[known] / total[known])) if known.any() else 0.0


def interval(gold: np.ndarray, predicted: np.ndarray) -> list[float] | None:
    """95 % interval of the macro-F: percentiles of the bootstrap, texts drawn with replacement. A
    label that a draw has missed says nothing there. None for one text: nothing can be drawn.

    gold, predicted: Boolean, (n, n_labels).
    """
    if len(gold) < 2:
        return None
    share = float((gold | predicted).any(axis=0).mean())
    found = bootstrap(
        (np.arange(len(gold)),),
        lambda rows: macro_f(gold[rows], predicted[rows], share),
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return [float(found.low), float(found.high)]
