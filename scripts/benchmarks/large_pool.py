"""A made-up pool of any size, with embeddings like real ones, embedded already."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import srsly

from scripts.data.corpus import text_id
from scripts.loop.embedding_cache import CachedEncoder

BLOCK = 20_000  # texts that are made at once, so that memory does not grow with the pool
LENGTH = 240  # characters of a text, about those of a news item in AG News
# Length of the noise beside a vector of length one, and the share of texts between two classes.
NOISE, BETWEEN = 0.5, 0.1


def write(size: int, texts: list[str], gold: list[str], cache: CachedEncoder, corpus: Path) -> None:
    """What `prepare` writes of so many texts, whose embeddings the cache then holds.

    texts, gold: Real texts, embedded, and a label each. A text that is made is a number and a piece
        of one of them; its embedding lies between those of two, with noise.
    """
    labels = sorted(set(gold))
    real = cache.encode(texts)
    corpus.mkdir(parents=True)
    srsly.write_json(corpus / "labels.json", {label: label for label in labels})
    meta = {"name": "step-scale", "dataset": "step-scale", "multi_label": False}
    srsly.write_json(corpus / "meta.json", meta)
    with (corpus / "pool.jsonl").open("w", encoding="utf8") as file:
        for made, vectors in blocks(size, texts, gold, real):
            cache.put(made, vectors)
            for text in made:
                file.write(srsly.json_dumps({"id": text_id(text), "text": text}) + "\n")


def blocks(
    size: int, texts: list[str], gold: list[str], real: np.ndarray
) -> Iterator[tuple[list[str], np.ndarray]]:
    """real: (n, d). Yields texts, and their embeddings (b, d) of length one."""
    rng = np.random.default_rng(0)
    labels = sorted(set(gold))
    members = [np.flatnonzero(np.array(gold) == label) for label in labels]
    for start in range(0, size, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, size))
        # Any two of the class, or of all classes, so that some texts are hard.
        first = np.array([rng.choice(members[n % len(labels)]) for n in numbers])
        second = np.array([rng.choice(members[n % len(labels)]) for n in numbers])
        anywhere = rng.random(len(numbers)) < BETWEEN
        second[anywhere] = rng.integers(len(texts), size=int(anywhere.sum()))
        share = rng.random((len(numbers), 1)) / 2
        noise = rng.normal(size=(len(numbers), real.shape[1])) * NOISE / real.shape[1] ** 0.5
        vectors = ((1 - share) * real[first] + share * real[second] + noise).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cut = rng.integers(0, 1000, size=len(numbers))
        made = [
            f"{n} {(texts[row] * 2)[c % len(texts[row]) :][:LENGTH]}"
            for n, row, c in zip(numbers.tolist(), first.tolist(), cut.tolist(), strict=True)
        ]
        yield made, vectors


def label_of(text: str, labels: list[str]) -> str:
    """Of a text that was made: its number says it. labels: In their order."""
    return labels[int(text.partition(" ")[0]) % len(labels)]
