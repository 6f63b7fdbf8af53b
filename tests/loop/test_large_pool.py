"""A large pool's embeddings: one mapped file, made from the store; what a kill leaves of both."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.benchmarks import large_pool
from scripts.data.corpus import Pool, read_labels, read_pool, text_id
from scripts.loop import embedding_cache
from scripts.loop.embedding_cache import SHARD, CachedEncoder
from scripts.loop.learner import Learner
from tests.loop.test_embedding_cache import CountingEncoder

TEXTS = [f"{'x' * (n % 7)}{n}" for n in range(300)] + ["x1", "x1"]
# Embeds until the third shard, and is killed in the middle of it.
KILLED = """
import os, signal, sys
from pathlib import Path
from scripts.loop import embedding_cache
from tests.loop.test_embedding_cache import CountingEncoder

class Killed(CountingEncoder):
    def encode(self, texts):
        if len(self.asked) == 2 * embedding_cache.SHARD:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(texts)

embedding_cache.LARGE = 100
embedding_cache.CachedEncoder(Killed(), Path(sys.argv[1])).encode([str(n) for n in range(1000)])
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what is made for large pools is used for these, in several parts."""
    monkeypatch.setattr(embedding_cache, "LARGE", 100)
    monkeypatch.setattr(embedding_cache, "READ", 70)


@pytest.mark.usefixtures("small")
def test_a_large_pool_is_embedded_once_and_mapped_from_then_on(tmp_path: Path) -> None:
    first, expected = CountingEncoder(), CountingEncoder().encode(TEXTS)
    np.testing.assert_array_equal(CachedEncoder(first, tmp_path).encode(TEXTS), expected)
    assert sorted(first.asked) == sorted(set(TEXTS))
    again = CachedEncoder(CountingEncoder(), tmp_path)
    again.path.unlink()  # what is mapped needs no store
    vectors = again.encode(TEXTS)
    np.testing.assert_array_equal(vectors, expected)
    assert type(vectors) is np.ndarray
    assert isinstance(vectors.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        vectors[0] = 0


@pytest.mark.usefixtures("small")
def test_another_pool_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    CachedEncoder(encoder, tmp_path).encode(TEXTS)
    turned = CachedEncoder(encoder, tmp_path).encode(TEXTS[::-1])
    np.testing.assert_array_equal(turned, CountingEncoder().encode(TEXTS[::-1]))
    assert sorted(encoder.asked) == sorted(set(TEXTS))
    assert len(list(tmp_path.glob("*.npy"))) == 1


@pytest.mark.usefixtures("small")
def test_a_file_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    cache = CachedEncoder(CountingEncoder(), tmp_path)
    cache.path.with_suffix(".part").write_bytes(b"half a header")
    np.testing.assert_array_equal(cache.encode(TEXTS), CountingEncoder().encode(TEXTS))
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.usefixtures("small")
def test_a_kill_costs_one_shard_at_most(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert not list(tmp_path.glob("*.npy"))
    rest, texts = CountingEncoder(), [str(n) for n in range(1000)]
    vectors = CachedEncoder(rest, tmp_path).encode(texts)
    np.testing.assert_array_equal(vectors, CountingEncoder().encode(texts))
    assert len(rest.asked) == 1000 - 2 * SHARD


def test_a_made_up_pool_is_embedded_already_and_learned_from_as_any(
    tmp_path: Path, pipelines: Path
) -> None:
    texts = [f"{word} {n}" for n in range(10) for word in ("matches", "shares")]
    gold = ["sports", "business"] * 10
    folder, corpus = tmp_path / "cache", tmp_path / "corpus"
    real = np.random.default_rng(0).normal(size=(20, 384)).astype(np.float32)
    real[::2, 0] += 40  # classes that differ
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    bare = Learner(pipelines / "textcat.cfg", folder, {"business": "", "sports": ""}, Pool([], []))
    bare.textcat.encoder.put(texts, real)
    large_pool.write(60, texts, gold, bare.textcat.encoder, corpus)

    pool, labels = read_pool(corpus), read_labels(corpus)
    assert len(pool.known) == len(pool) == 60
    assert pool.ids == [text_id(text) for text in pool.texts]
    learner = Learner(pipelines / "textcat.cfg", folder, labels, pool)
    learner.textcat.encoder.encoder = None  # nothing is left to embed
    vectors = learner.embed(pool.texts)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(60))
    said = [large_pool.label_of(text, list(labels)) for text in pool.texts]
    near = (vectors @ real.T).argmax(axis=1)
    assert np.mean([gold[row] == label for row, label in zip(near, said, strict=True)]) > 0.9
