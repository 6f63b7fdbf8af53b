"""Heads as the simulation wants them, and how they do on labels drawn at random."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from spacy.util import registry

import components.classy_heads
import components.code
from scripts.active_learning.arrays import Floats, Labels
from scripts.active_learning.simulate import Corpus, Fit, Predict
from scripts.benchmarks.corpora import Embedded, split

Head = Callable[..., Any]
Fitted = components.classy_heads.FittedHead


def make_head(name: str) -> Head:
    """The head registered as classy_head.NAME.v1, with its default settings; "plain" is what they
    are measured against: scikit-learn's logistic regression as it comes."""
    return fit_plain if name == "plain" else registry.misc.get(f"classy_head.{name}.v1")()


def fit_plain(X: Floats, Y: Floats, **_: object) -> Fitted:
    """Logistic regression (C = 1) on the examples alone. X (n, d), Y (n, k)."""
    y = Y.argmax(axis=1)
    coef, intercept = np.zeros((Y.shape[1], X.shape[1])), np.full(Y.shape[1], -1e3)
    seen = np.unique(y)
    if len(seen) < 2:
        intercept[seen if len(seen) else slice(None)] = 0
        return Fitted("softmax", {"coef": coef, "intercept": intercept})
    model = LogisticRegression(max_iter=1000).fit(X, y)
    if len(seen) == 2:
        coef[seen[1]], intercept[seen] = model.coef_[0], [0, model.intercept_[0]]
    else:
        coef[seen], intercept[seen] = model.coef_, model.intercept_
    return Fitted("softmax", {"coef": coef, "intercept": intercept})


def fit_on(head: Head, corpus: Corpus, label_embeddings: Floats, seed: int = 0) -> Fit:
    """The head as a function of embeddings and class numbers. It sees the pool's texts, never their
    labels."""

    def fit(embeddings: Floats, labels: Labels) -> Predict:
        fitted = head(
            embeddings,
            np.eye(corpus.k)[labels],
            label_embeddings=label_embeddings,
            pool=corpus.embeddings,
            seed=seed,
        )
        scores = registry.misc.get(f"classy_scores.{fitted.kind}.v1")
        return lambda texts: scores(fitted.arrays, texts)

    return fit


def balanced_rows(labels: Labels, n: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """n rows at random, as many of each of k classes."""
    each = [rng.permutation(np.flatnonzero(labels == c))[: n // k] for c in range(k)]
    return np.concatenate(each)


def compare(
    datasets: Sequence[Embedded], heads: Sequence[str], budgets: Sequence[int], seeds: int
) -> Iterator[dict[str, Any]]:
    """Accuracy on the test texts, mean and standard deviation over the seeds, with labels drawn at
    random, as many of each class; and how long a fit takes. A row a data set, head, and what is
    told of the labels: their names, or descriptions. At 0 labels that is all there is."""
    for data in datasets:
        k = len(data.label_names)
        told = {"names": data.label_names, "descriptions": data.label_descriptions}
        for name in heads:
            for what, label_embeddings in told.items():
                if name == "plain" and what != "names":
                    continue  # it does not look at them
                row: dict[str, Any] = {"data": data.name, "head": name, "told": what}
                seconds = []
                for budget in budgets:
                    if name == "plain" and not budget:
                        row["0"] = ""
                        continue
                    right = []
                    for seed in range(seeds):
                        rng = np.random.default_rng(seed)
                        corpus = split(data.embeddings, data.labels, k, rng)
                        rows_ = balanced_rows(corpus.truth, budget, k, rng)
                        fit = fit_on(make_head(name), corpus, label_embeddings)
                        start = time.perf_counter()
                        model = fit(corpus.embeddings[rows_], corpus.truth[rows_])
                        seconds.append(time.perf_counter() - start)
                        predicted = model(corpus.test_embeddings).argmax(axis=1)
                        right.append(float((predicted == corpus.test_labels).mean()))
                    row[str(budget)] = f"{np.mean(right):.3f} ± {np.std(right, ddof=1):.3f}"
                row["seconds"] = f"{np.median(seconds):.2f}"
                yield row
