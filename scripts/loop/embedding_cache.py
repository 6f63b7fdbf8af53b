"""An encoder that remembers on disk, so that the loop embeds each text of the pool once."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from scripts.cli.errors import ProjectError

T = TypeVar("T")

SHARD = 128  # texts that are embedded and stored at once: what a kill may cost
READ = 10_000  # texts that are read from the store at once
# From so many texts on their embeddings are one file, which is mapped and not read.
LARGE = 20_000


class CachedEncoder:
    """Wraps an encoder (encode, dim, fingerprint) with a store keyed by fingerprint and text.

    The store is one SQLite file a fingerprint: it survives restarts, is safe to delete, and two
    processes may use it at once. Beside it lie the embeddings of the last large pool in its order,
    made from the store and also safe to delete: memory holds as much of them as is looked at.
    Everything but `encode` and `put` is the wrapped encoder's.
    """

    def __init__(self, encoder: Any, folder: Path) -> None:
        """encoder: From now on it embeds each text alone, if it lets that be set: in a batch, the
        last digits of an embedding depend on its neighbours, and so what the store keeps would on
        what was embedded before. It takes a fifth longer on short texts, once."""
        self.encoder = encoder
        if hasattr(encoder, "batch_size"):
            encoder.batch_size = 1
        # The last pool: a step asks for it about ten times.
        self._pool: tuple[list[str], np.ndarray] | None = None
        self.path = folder / f"{encoder.fingerprint}.sqlite"
        folder.mkdir(parents=True, exist_ok=True)
        with self._open() as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS embedding (key BLOB PRIMARY KEY, vector BLOB)")

    def __getattr__(self, name: str) -> Any:
        if name == "encoder":  # not set yet, as while unpickling
            raise AttributeError(name)
        return getattr(self.encoder, name)

    def encode(self, texts: Sequence[str], show_progress_bar: bool = False) -> np.ndarray:
        """Embeddings of the texts, (n, dim) float32, from the store where it has them. Read-only,
        as the memory of it is shared."""
        if self._pool is not None and self._pool[0] == list(texts):
            return self._pool[1]
        if not texts:
            return np.zeros((0, self.encoder.dim), dtype=np.float32)
        keys = [_key(text) for text in texts]
        vectors = self._small(texts, keys) if len(texts) < LARGE else self._large(texts, keys)
        if self._pool is None or len(texts) >= len(self._pool[0]):
            self._pool = list(texts), vectors
        return vectors

    def put(self, texts: Sequence[str], vectors: np.ndarray) -> None:
        """Keep the embeddings (n, dim) of texts that were made elsewhere."""
        with self._open() as db:
            self._store(db, [_key(text) for text in texts], vectors)

    def _small(self, texts: Sequence[str], keys: Sequence[bytes]) -> np.ndarray:
        with self._open() as db:
            self._complete(db, texts, keys)
            vectors = np.concatenate(list(_blocks(db, keys)))
        vectors.flags.writeable = False
        return vectors

    def _large(self, texts: Sequence[str], keys: Sequence[bytes]) -> np.ndarray:
        digest = hashlib.sha256(b"".join(keys)).hexdigest()[:16]
        path = self.path.with_suffix(f".{digest}.npy")
        if not path.exists():
            with self._open() as db:
                self._complete(db, texts, keys)
                with FileLock(self.path.with_suffix(".lock")):
                    self._write(db, keys, path)
        return np.load(path, mmap_mode="r").view(np.ndarray)

    def _write(self, db: sqlite3.Connection, keys: Sequence[bytes], path: Path) -> None:
        """In place of those of an earlier pool; under another name until it is complete."""
        part = self.path.with_suffix(".part")
        with part.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (len(keys), self.dim)}
            np.lib.format.write_array_header_1_0(file, header)
            for block in _blocks(db, keys):
                file.write(block.tobytes())
        for old in self.path.parent.glob(f"{self.path.stem}.*.npy"):
            with suppress(OSError):  # Windows does not delete what another process has mapped
                old.unlink()
        os.replace(part, path)

    def _complete(
        self, db: sqlite3.Connection, texts: Sequence[str], keys: Sequence[bytes]
    ) -> None:
        """Embed what the store has not got, shard by shard: a run that is interrupted or killed
        keeps all shards before."""
        missing = dict(zip(keys, texts, strict=True))
        for some in _parts(keys, READ):
            for (key,) in db.execute(f"SELECT key {_where(some)}", some):
                missing.pop(key, None)
        # In their own order: with the short ones first, the bar would promise far too early an end.
        todo = list(missing.items())
        # None: no bar where the output is no terminal.
        quiet = len(todo) < 200 or None
        with tqdm(total=len(todo), desc="Embedding", unit="text", disable=quiet) as bar:
            for shard in _parts(todo, SHARD):
                vectors = self.encoder.encode([text for _, text in shard])
                self._store(db, [key for key, _ in shard], vectors)
                bar.update(len(shard))

    def _store(self, db: sqlite3.Connection, keys: Sequence[bytes], vectors: np.ndarray) -> None:
        rows = [(key, vector.tobytes()) for key, vector in zip(keys, vectors, strict=True)]
        with db:
            db.executemany("INSERT OR IGNORE INTO embedding VALUES (?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """RAISES (ProjectError): It is damaged, its disk is full, or it may not be written."""
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as db:
                yield db
        except sqlite3.Error as err:
            raise ProjectError(
                f"The embeddings in {self.path} cannot be used: {err}.",
                "See that its disk has room and that you may write there. If it is damaged, delete "
                "it: it is made anew. Or set [paths] cache to another folder.",
            ) from err


def _blocks(db: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[np.ndarray]:
    """The embeddings of keys that the store has, in their order, float32 (some, dim)."""
    for some in _parts(keys, READ):
        found = dict(db.execute(f"SELECT key, vector {_where(some)}", some))
        vectors = np.frombuffer(b"".join(found[key] for key in some), dtype=np.float32)
        yield vectors.reshape(len(some), -1)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _where(keys: Sequence[bytes]) -> str:
    return f"FROM embedding WHERE key IN ({','.join('?' * len(keys))})"


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf8", errors="surrogatepass")).digest()
