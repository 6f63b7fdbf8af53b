"""One step of the tutorial's loop on classy-classification as it comes, embeddings included."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import spacy

from scripts.benchmarks.classy import make_classifier
from scripts.data.corpus import Pool
from scripts.records.answers import Answer
from scripts.records.convert import doc_to_record
from scripts.records.dataset import LoopDataset

WHOLE, NEXT = "tutorial's loop, embedding the pool", "tutorial's loop, its next texts alone"


class Tutorial:
    """What the tutorial's loop does after a batch: train on all labels, predict, log the next
    texts. Its way of hearing of the batch, and its reading of the answers, take no time here.

    said: Answers by people, for a first training, which loads the sentence encoder and is not
        measured.
    """

    def __init__(self, dataset: LoopDataset, model: str, said: Sequence[Answer]) -> None:
        self.dataset = dataset
        self.make_doc = spacy.blank("en").make_doc
        with quiet():
            self.classifier = make_classifier(by_label(said), model)

    def step(self, said: Sequence[Answer], pool: Pool, size: int) -> dict[str, float]:
        """RETURNS: Seconds with predictions for all texts of the pool without a label, as a choice
        among them or a threshold would need them; and for the next `size` texts alone."""
        known = {answer.text for answer in said}
        texts = [text for text in pool.texts if text not in known]
        with quiet():
            train = seconds_of(lambda: self.classifier.set_training_data(by_label(said)))
        whole = seconds_of(lambda: self.classifier.pipe(texts))
        found: list[dict[str, float]] = []
        few = seconds_of(lambda: found.extend(self.classifier.pipe(texts[:size])))
        log = seconds_of(lambda: self.log(texts[:size], found))
        return {WHOLE: train + whole + log, NEXT: train + few + log}

    def log(self, texts: Sequence[str], predictions: Sequence[dict[str, float]]) -> None:
        records = []
        for text, cats in zip(texts, predictions, strict=True):
            doc = self.make_doc(text)
            doc.cats = {label: float(value) for label, value in cats.items()}
            records.append(doc_to_record(doc, iteration=0, source="query", agent="classy"))
        self.dataset.push(records)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of scikit-learn, some of each of classy's fits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def by_label(said: Sequence[Answer]) -> dict[str, list[str]]:
    """classy's form of training data, with sorted labels (its scores are swapped otherwise)."""
    data: dict[str, list[str]] = {}
    for answer in said:
        data.setdefault(answer.labels[0], []).append(answer.text)
    return {label: data[label] for label in sorted(data)}


def seconds_of(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
