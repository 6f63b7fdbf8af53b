"""The big model: what it thinks of texts, without embedding again what the loop has embedded."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.cli.errors import ProjectError
from scripts.loop.embedding_cache import CachedEncoder
from scripts.loop.settings import TEXTCAT
from scripts.shipping.release import read_meta


class BigModel:
    """A pipeline that `train` wrote. Texts are embedded once ever, in the loop's own store."""

    def __init__(self, folder: Path, labels: Sequence[str], cache: Path) -> None:
        """labels: In the order of all columns.

        RAISES (ProjectError): There is none, or it is another kind, or has other labels.
        """
        read_meta(folder)  # there is one
        import components.code  # noqa: F401
        from scripts.data.pipelines import load

        self.folder, self.labels = folder, list(labels)
        self.nlp = load(folder)
        textcat: Any = dict(self.nlp.pipeline).get(TEXTCAT)
        found = textcat.labels if textcat else ()
        if set(found) != set(labels):
            raise ProjectError(
                f"The pipeline in {folder} has other labels ({', '.join(found) or 'none'}).",
                f"The labels are: {', '.join(labels)}. Train it again: weasel run train",
            )
        textcat.encoder = CachedEncoder(textcat.encoder, cache)
        self.textcat = textcat
        self._columns = [found.index(label) for label in labels]

    @property
    def threshold(self) -> float | None:
        """The probability from which a text has a label; None where it has exactly one."""
        return float(self.textcat.threshold) if self.textcat.multi_label else None

    @property
    def lang(self) -> str:
        return str(self.nlp.lang)

    @property
    def tokenizer(self) -> Path:
        """The tokenizer of its encoder."""
        return self.folder / TEXTCAT / "encoder" / "tokenizer.json"

    @property
    def encode(self) -> Callable[[Sequence[str]], np.ndarray]:
        return self.textcat.encoder.encode

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities, (n, n_labels)."""
        probs = self.textcat.predict_embeddings(self.encode(texts))
        return np.asarray(probs, dtype=np.float64)[:, self._columns]
