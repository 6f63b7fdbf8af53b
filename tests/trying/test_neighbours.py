"""The nearest labelled texts are just those that a plain comparison with each of them finds."""

import math
from pathlib import Path

import numpy as np
import pytest

from scripts.trying.labelled import Labelled, read_labelled
from scripts.trying.neighbours import Neighbours, open_neighbours, unit
from scripts.trying.pipeline import open_pipeline


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    dot = math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    lengths = [math.sqrt(math.fsum(float(x) ** 2 for x in v)) for v in (a, b)]
    return dot / (lengths[0] * lengths[1]) if all(lengths) else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_of_all_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(300, 16)) * rng.uniform(0.01, 100, size=(300, 1))
    vectors[17] = 0  # a text of which the encoder makes nothing
    rows = [Labelled(str(n), ("a",), "") for n in range(300)]
    query = rng.normal(size=16)
    wanted = sorted(range(300), key=lambda row: -cosine(vectors[row], query))
    found = Neighbours(rows, unit(vectors)).nearest(query, 300)
    assert [int(one.labelled.text) for one in found] == wanted
    assert [one.similarity for one in found] == pytest.approx(
        [cosine(vectors[row], query) for row in wanted]
    )
    assert Neighbours(rows, unit(vectors)).nearest(query, 7) == found[:7]


def test_of_equal_ones_the_first_and_never_more_than_there_are() -> None:
    rows = [Labelled(text, (), "") for text in "abc"]
    same = Neighbours(rows, unit(np.ones((3, 4))))
    assert [one.labelled.text for one in same.nearest(np.ones(4), 2)] == ["a", "b"]
    assert len(same.nearest(np.ones(4), 10)) == 3
    assert [one.similarity for one in same.nearest(np.zeros(4), 3)] == [0, 0, 0]


def test_by_the_pipelines_own_encoder(model: Path, labelled: Path, tmp_path: Path) -> None:
    pipeline = open_pipeline(str(model))
    neighbours = open_neighbours(pipeline, labelled, tmp_path)
    rows = read_labelled(labelled)
    for row in rows:  # each is nearest to itself
        (embedding,) = pipeline.encoder.encode([row.text])
        nearest = neighbours.nearest(embedding, 1)[0]
        assert nearest.labelled == row
        assert nearest.similarity == pytest.approx(1)
    (embedding,) = pipeline.encoder.encode(["The goalkeeper won the match in the final."])
    assert {one.labelled.labels for one in neighbours.nearest(embedding, 3)} == {("sport",)}


def test_labels_of_other_data_are_left_out(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("text,label\nA match,sport\nA film,culture\nA song,culture\n")
    neighbours = open_neighbours(open_pipeline(str(model)), path, tmp_path)
    assert [row.text for row in neighbours.rows] == ["A match"]
    assert neighbours.left_out == 2
