"""Any spaCy pipeline that sets `doc.cats`, from a folder or an installed package."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scripts.active_learning.decisions import decide
from scripts.data.packages import find


class Result(NamedTuple):
    """What a pipeline says of a text. given: The labels by its own threshold, none included.
    certainty: Of that decision as a whole."""

    text: str
    cats: dict[str, float]
    given: tuple[str, ...]
    certainty: float


@dataclass(frozen=True)
class Pipeline:
    """A loaded pipeline. name: Of the package, or the folder. threshold: The probability from which
    a text has a label; None where it has exactly one. encoder: What embeds a text (`encode` gives
    (n, dim)); None in a pipeline that has no sentence encoder."""

    name: str
    meta: dict[str, Any]
    nlp: Any
    labels: tuple[str, ...]
    threshold: float | None
    encoder: Any
    # Several pages may ask at once, and a pipeline's store of strings is one for all.
    lock: threading.Lock

    def classify(self, texts: Sequence[str]) -> list[Result]:
        with self.lock:
            docs = list(self.nlp.pipe(texts))
        probs = np.array([[doc.cats[label] for label in self.labels] for doc in docs])
        probs = probs.reshape(len(docs), len(self.labels))
        chosen, certainty = decide(probs, self.threshold)
        rows = np.eye(len(self.labels), dtype=int)[chosen] if chosen.ndim == 1 else chosen
        return [
            Result(
                doc.text,
                dict(zip(self.labels, map(float, scores), strict=True)),
                tuple(label for label, on in zip(self.labels, row, strict=True) if on),
                float(sure),
            )
            for doc, scores, row, sure in zip(docs, probs, rows, certainty, strict=True)
        ]


def open_pipeline(name: str) -> Pipeline:
    """Load it.

    name: A folder, or an installed package, with or without its language (`textcat`, `en_textcat`).
    RAISES (ProjectError): It is neither, or it does not load or classify.
    """
    source = find(name, "try_model")
    from scripts.data.pipelines import categorizer, load

    if isinstance(source, Path):
        import components.code  # noqa: F401  (a package brings its own)
    nlp = load(source)
    found = categorizer(nlp, f"The pipeline '{name}'")
    return Pipeline(
        str(source),
        dict(nlp.meta),
        nlp,
        found.labels,
        found.threshold,
        getattr(found.pipe, "encoder", None),
        threading.Lock(),
    )
