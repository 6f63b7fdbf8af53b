"""An encoder that remembers on disk, so that the loop embeds each text of the pool once."""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm


class CachedEncoder:
    """Wraps an encoder (encode, dim, fingerprint) with a store keyed by fingerprint and text.

    The store is one SQLite file a fingerprint: it survives restarts, is safe to delete, and two
    processes may use it at once. Everything but `encode` is the wrapped encoder's.
    """

    def __init__(self, encoder: Any, folder: Path) -> None:
        self.encoder = encoder
        # The last pool: a step asks for it about ten times, and 100,000 texts take a second each.
        self._pool: tuple[list[str], np.ndarray] | None = None
        self.path = folder / f"{encoder.fingerprint}.sqlite"
        folder.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS embedding (key BLOB PRIMARY KEY, vector BLOB)")

    def __getattr__(self, name: str) -> Any:
        if name == "encoder":  # not set yet, as while unpickling
            raise AttributeError(name)
        return getattr(self.encoder, name)

    def encode(self, texts: Sequence[str], show_progress_bar: bool = False) -> np.ndarray:
        """Embeddings of the texts, (n, dim) float32, from the store where it has them."""
        if self._pool is not None and self._pool[0] == list(texts):
            return self._pool[1]
        keys = [_key(text) for text in texts]
        with closing(self._connect()) as db:
            found = self._load(db, keys)
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
            # In blocks, so that an interrupted run keeps what it has done.
            todo = sorted(missing.items(), key=lambda item: len(item[1]))
            # None: no bar where the output is no terminal.
            quiet = len(todo) < 200 or None
            bar = tqdm(total=len(todo), desc="Embedding", unit="text", disable=quiet)
            for start in range(0, len(todo), 128):
                block = todo[start : start + 128]
                vectors = self.encoder.encode([text for _, text in block])
                rows = [(key, v.tobytes()) for (key, _), v in zip(block, vectors, strict=True)]
                with db:
                    db.executemany("INSERT OR IGNORE INTO embedding VALUES (?, ?)", rows)
                found.update(rows)
                bar.update(len(block))
            bar.close()
        if not texts:
            return np.zeros((0, self.encoder.dim), dtype=np.float32)
        vectors = np.frombuffer(b"".join(found[key] for key in keys), dtype=np.float32)
        vectors = vectors.reshape(len(keys), -1)  # read-only, as the memory of it is shared
        if self._pool is None or len(texts) >= len(self._pool[0]):
            self._pool = list(texts), vectors
        return vectors

    def _load(self, db: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), 10_000):
            block = keys[start : start + 10_000]
            marks = ",".join("?" * len(block))
            found.update(
                db.execute(f"SELECT key, vector FROM embedding WHERE key IN ({marks})", block)
            )
        return found

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=60)


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf8", errors="surrogatepass")).digest()
