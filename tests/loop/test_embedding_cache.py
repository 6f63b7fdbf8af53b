"""The cache embeds a text once, in whatever order and process it is asked for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from scripts.cli.errors import ProjectError
from scripts.loop.embedding_cache import CachedEncoder


class CountingEncoder:
    """Embeds by the text's own bytes and remembers what it was asked."""

    dim = 4
    fingerprint = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[len(t), *t.encode()[:3].ljust(3)] for t in texts], dtype=np.float32)


def test_embeds_each_text_once_and_keeps_the_order(tmp_path: Path) -> None:
    texts = ["b", "a", "longer", "a", "ü€"]
    first = CountingEncoder()
    expected = CountingEncoder().encode(texts)
    np.testing.assert_array_equal(CachedEncoder(first, tmp_path).encode(texts), expected)
    assert first.asked == ["b", "a", "longer", "ü€"]  # by length, a bar would start too fast
    second = CountingEncoder()
    again = CachedEncoder(second, tmp_path).encode([*texts, "new"])
    np.testing.assert_array_equal(again[:5], expected)
    assert second.asked == ["new"]


def test_another_encoder_does_not_get_its_vectors(tmp_path: Path) -> None:
    CachedEncoder(CountingEncoder(), tmp_path).encode(["a"])
    other = CountingEncoder()
    other.fingerprint = "other"
    CachedEncoder(other, tmp_path).encode(["a"])
    assert other.asked == ["a"]


def test_is_safe_to_delete_and_empty_input_has_a_shape(tmp_path: Path) -> None:
    cache = CachedEncoder(CountingEncoder(), tmp_path)
    cache.encode(["a"])
    cache.path.unlink()
    again = CachedEncoder(CountingEncoder(), tmp_path)
    assert again.encode(["a"]).shape == (1, 4)
    assert again.encode([]).shape == (0, 4)


def test_a_store_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    cache = CachedEncoder(CountingEncoder(), tmp_path)
    cache.path.write_text("no database")
    with pytest.raises(ProjectError, match="not a database") as err:
        cache.encode(["a"])
    assert str(cache.path) in err.value.title


def test_an_interrupted_run_keeps_what_it_has_done(tmp_path: Path) -> None:
    class Failing(CountingEncoder):
        def encode(self, texts: Sequence[str]) -> np.ndarray:
            if len(self.asked) >= 128:
                raise KeyboardInterrupt
            return super().encode(texts)

    texts = [f"{i:04d}" for i in range(1000)]
    with pytest.raises(KeyboardInterrupt):
        CachedEncoder(Failing(), tmp_path).encode(texts)
    rest = CountingEncoder()
    CachedEncoder(rest, tmp_path).encode(texts)
    assert len(rest.asked) == 872


def test_is_the_encoder_in_all_else(tmp_path: Path) -> None:
    cache = CachedEncoder(CountingEncoder(), tmp_path)
    assert cache.dim == 4
    with pytest.raises(AttributeError):
        _ = cache.missing
