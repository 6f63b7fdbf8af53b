"""Word vectors of the big model's own sentence encoder, as spaCy's static vectors.

Each word is embedded as a text of its own, and the embeddings are brought down to their principal
components, as model2vec does (Tulkens & van Dongen 2024). So the small model knows words that no
text of the pool has: all whole words of the encoder's vocabulary are among them.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from spacy.vectors import Vectors
from tokenizers import Tokenizer

from scripts.data.pipelines import blank

DIM = 128
# What tokenizers put before the first piece of a word.
MARKS = "Ġ▁"


def write_vectors(
    words: Sequence[str],
    encode: Callable[[Sequence[str]], np.ndarray],
    lang: str,
    folder: Path,
    dim: int = DIM,
) -> None:
    """Write a pipeline without components but with a vector a word, for [paths] vectors.

    words: In lower case. encode: Words -> embeddings (n, d). dim: Of the vectors; d if it is less.
    """
    vectors = components(np.asarray(encode(words), dtype=np.float32), dim)
    nlp = blank(lang)
    found = Vectors(data=vectors, keys=map(nlp.vocab.strings.add, words), name="encoder")
    # Vectors(attr="LOWER") would do, but spaCy does not save it.
    for row, word in enumerate(words):
        for form in {word.capitalize(), word.upper()} - {word}:
            found.add(nlp.vocab.strings.add(form), row=row)
    nlp.vocab.vectors = found
    nlp.to_disk(folder)


def words_of(texts: Iterable[str], tokenizer: Path, lang: str) -> list[str]:
    """Words of the texts and whole words of the encoder's vocabulary (its tokenizer.json), in lower
    case and in the order of the alphabet."""
    docs = map(blank(lang).make_doc, texts)
    words = {token.lower_ for doc in docs for token in doc}
    for piece in Tokenizer.from_file(str(tokenizer)).get_vocab():
        words.add(piece.lstrip(MARKS).lower())
    # Not "##ing", which goes on within a word, nor "[CLS]".
    return sorted(word for word in words if word[:1].isalnum())


def components(X: np.ndarray, dim: int) -> np.ndarray:
    """X (n, d) without its mean, on its first components: (n, min(dim, d)) float32, of standard
    deviation 1 over all."""
    X = X - X.mean(axis=0)
    _, axes = np.linalg.eigh(X.T @ X)
    found = X @ axes[:, ::-1][:, :dim]
    scale = float(found.std())
    return np.ascontiguousarray(found / (scale or 1.0), dtype=np.float32)
