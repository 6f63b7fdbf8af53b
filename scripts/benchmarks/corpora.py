"""Labelled data for the simulated loop, embedded once and kept."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from components.classy_textcat import label_text
from components.onnx_encoder import OnnxEncoder
from scripts.active_learning.arrays import Floats
from scripts.active_learning.simulate import Corpus
from scripts.benchmarks.data import read_labelled
from scripts.loop.embedding_cache import CachedEncoder

# What a user would write next to the labels of BBC News and AG News in their settings.
DESCRIPTIONS = {
    "Business": "Business news: companies, markets, stocks, oil prices, the economy and jobs.",
    "Sci/Tech": "Science and technology news: computers, software, the internet, space, research.",
    "Sports": "Sports news: games, matches, teams, players, championships and results.",
    "World": "World news: international politics, wars, elections, governments and disasters.",
    "business": "Business news: companies, markets, banks, profits, the economy and trade.",
    "entertainment": "Entertainment news: films, music, television, celebrities and awards.",
    "politics": "Politics news: elections, parties, ministers, parliament and government policy.",
    "sports": "Sports news: matches, teams, players, coaches, championships and injuries.",
    "tech": "Technology news: computers, software, the internet, mobile phones and games.",
}


@dataclass(frozen=True)
class Embedded:
    """A data set as arrays: embeddings (n, d), labels (n,) class numbers in the order of the
    alphabet, label_names and label_descriptions (k, d): embeddings of what the classes are called
    and of what they mean."""

    name: str
    embeddings: Floats
    labels: np.ndarray
    label_names: Floats
    label_descriptions: Floats


def embed(source: str, encoder: Path, cache: Path) -> Embedded:
    """A data set that read_labelled knows.

    RAISES (ProjectError): The data cannot be read. (ValueError): There is no such encoder.
    """
    texts, gold = read_labelled(source)
    names = sorted(set(gold))
    encode = CachedEncoder(OnnxEncoder(encoder), cache).encode
    return Embedded(
        Path(source).stem,
        encode(texts),
        np.array([names.index(label) for label in gold]),
        encode([label_text(name) for name in names]),
        encode([label_text(name, DESCRIPTIONS.get(name)) for name in names]),
    )


def split(
    embeddings: Floats,
    labels: np.ndarray,
    k: int,
    rng: np.random.Generator,
    test_share: float = 0.27,
) -> Corpus:
    """A random pool and test set."""
    order = rng.permutation(len(labels))
    cut = round(len(labels) * (1 - test_share))
    pool, test = order[:cut], order[cut:]
    return Corpus(embeddings[pool], labels[pool], labels[pool], embeddings[test], labels[test], k)


def take(corpus: Corpus, rows: np.ndarray | slice) -> Corpus:
    """The same corpus with these rows of the pool only."""
    return replace(
        corpus,
        embeddings=corpus.embeddings[rows],
        answers=corpus.answers[rows],
        truth=corpus.truth[rows],
    )


def with_noise(corpus: Corpus, share: float, rng: np.random.Generator) -> Corpus:
    """The same corpus, with this share of the oracle's answers a wrong class at random."""

    wrong = rng.random(len(corpus.answers)) < share
    other = (corpus.truth + rng.integers(1, corpus.k, size=len(wrong))) % corpus.k
    return replace(corpus, answers=np.where(wrong, other, corpus.truth))


def with_rare_class(corpus: Corpus, rare: int, times: float) -> Corpus:
    """The same corpus, with one class `times` rarer in the pool than the others are on average.
    The test set stays as it is: macro-F counts classes alike."""
    rows = np.flatnonzero(corpus.truth == rare)
    others = (len(corpus.truth) - len(rows)) / (corpus.k - 1)
    drop = rows[max(1, round(others / times)) :]
    keep = np.setdiff1d(np.arange(len(corpus.truth)), drop)
    return take(corpus, keep)
