"""The loop of the tutorial that this project grew from, on classy-classification as it comes.

First in, first out, five texts a step, and a certainty above 0.9 validates itself. The library's
own classes do the work; only the sentences' embeddings come from a cache.
"""

import warnings
from collections.abc import Sequence

import numpy as np

from scripts.active_learning.arrays import Floats
from scripts.active_learning.simulate import Corpus, Snapshot

BATCH = 5
CERTAIN = 0.9


class RowEncoder:
    """Stands in for the SentenceTransformer: "texts" are row numbers of the embeddings."""

    def __init__(self, embeddings: Floats) -> None:
        self.embeddings = embeddings

    def encode(self, texts: Sequence[str], **_: object) -> Floats:
        return self.embeddings[np.array([int(text) for text in texts], dtype=np.intp)]


def tutorial_loop(
    corpus: Corpus, rng: np.random.Generator, budget: int, per_class: int = 5
) -> list[Snapshot]:
    """Run it until people have given `budget` labels; a snapshot a step.

    per_class: The first labels, as the tutorial collects them. A machine label is training data
        like any other, and nobody looks at it again.
    """
    from classy_classification import ClassyClassifier

    n = len(corpus.embeddings)
    encoder = RowEncoder(np.vstack([corpus.embeddings, corpus.test_embeddings]))
    test = [str(n + i) for i in range(len(corpus.test_embeddings))]

    class Classifier(ClassyClassifier):
        def set_embedding_model(self, model: object = None, device: object = None) -> None:
            self.encoder = encoder

    def train(data: dict[str, list[str]]) -> Classifier:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Classifier(data={name: rows for name, rows in data.items() if rows})

    def predict(model: Classifier, texts: list[str]) -> Floats:
        probs = np.zeros((len(texts), corpus.k))
        for row, prediction in zip(probs, model.pipe(texts), strict=True):
            for name, value in prediction.items():
                row[int(name)] = value
        return probs

    order = rng.permutation(n)
    data: dict[str, list[str]] = {str(c): [] for c in range(corpus.k)}
    human: list[int] = []
    for row in order:
        name = str(corpus.answers[row])
        if len(data[name]) < per_class:
            data[name].append(str(row))
            human.append(int(row))
    queue = [int(row) for row in order if int(row) not in set(human)]
    auto: list[tuple[int, int]] = []
    snapshots: list[Snapshot] = []
    while True:
        model = train(data)
        probs = predict(model, test)
        right = sum(corpus.truth[row] == label for row, label in auto)
        snapshots.append(
            Snapshot(
                labels=len(human),
                predicted=probs.argmax(axis=1),
                certainty=probs.max(axis=1),
                machine=len(auto),
                machine_right=int(right),
                asked=np.array(human, dtype=np.intp),
            )
        )
        if len(human) >= budget or not queue:
            return snapshots
        batch, queue = queue[:BATCH], queue[BATCH:]
        for row, prob in zip(batch, predict(model, [str(row) for row in batch]), strict=True):
            label = int(prob.argmax())
            if prob.max() > CERTAIN:
                auto.append((row, label))
            else:
                label = int(corpus.answers[row])
                human.append(row)
            data[str(label)].append(str(row))
