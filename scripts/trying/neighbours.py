"""The labelled texts that are nearest to a text, by the pipeline's own encoder."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scripts.trying.labelled import Labelled, read_labelled
from scripts.trying.pipeline import Pipeline


class Neighbour(NamedTuple):
    """similarity: Cosine, from -1 to 1."""

    labelled: Labelled
    similarity: float


@dataclass(frozen=True)
class Neighbours:
    """Labelled texts with their embeddings, (n, dim), of length 1. left_out: Texts of the file that
    have labels which the pipeline does not have."""

    rows: Sequence[Labelled]
    embeddings: np.ndarray
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, embedding: np.ndarray, n: int) -> list[Neighbour]:
        """The n nearest of all, each compared, most similar first. embedding: (dim,)."""
        similarity = self.embeddings @ unit(embedding[None])[0]
        order = np.argsort(-similarity, kind="stable")[:n]
        return [Neighbour(self.rows[row], float(similarity[row])) for row in order]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, dim) of length 1; a vector of zeros stays one, and is like none."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)


def open_neighbours(pipeline: Pipeline, path: Path, cache: Path) -> Neighbours:
    """Embed the labelled texts, each once ever: the loop has most of them in its cache already.

    pipeline: One with an encoder.
    RAISES (ProjectError): The file cannot be read.
    """
    from scripts.loop.embedding_cache import CachedEncoder

    found = read_labelled(path)
    rows = [row for row in found if set(row.labels) <= set(pipeline.labels)]
    # A copy, which shares the weights: the pipeline itself goes on in batches.
    embeddings = CachedEncoder(deepcopy(pipeline.encoder), cache).encode([row.text for row in rows])
    return Neighbours(rows, unit(embeddings), len(found) - len(rows))
