from pathlib import Path

import numpy as np
import srsly

from scripts.benchmarks.distilled import Conditions, Split, compare, learn_from, run
from scripts.distilling.big import BigModel


def test_small_models_beside_the_big_one(headlines, encoder_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "headlines.jsonl"
    srsly.write_jsonl(source, headlines)
    conditions = Conditions(encoder_folder, tmp_path / "cache", 30, seeds=1, kinds=["bow"])
    rows = list(compare([str(source)], conditions))
    assert [row["model"] for row in rows] == [
        "classy_textcat",
        *("bow, people", "bow, finished", "bow, pool"),
    ]
    assert [row["learns from"] for row in rows] == ["30", "30", "30", "131"]
    assert {row["texts a second"] for row in rows[1:]} != {rows[0]["texts a second"]}
    # What is trained on and what is judged are apart, and each text is where its label is.
    one = run(str(source), conditions, 0)
    label_of = {row["text"]: row["label"] for row in headlines}
    assert not set(one.pool) & set(one.test)
    assert [label_of[text] for text in one.test] == [one.labels[c] for c in one.test_gold]
    half = run(str(source), Conditions(encoder_folder, tmp_path / "cache", 30, 1, share=0.5), 0)
    assert half.pool == one.pool[: len(half.pool)]
    assert half.test == one.test


class Says(BigModel):
    """What a model says that is sure of nothing."""

    def __init__(self) -> None:
        pass

    def predict(self, texts) -> np.ndarray:
        return np.full((len(texts), 2), 0.5)


def test_people_machine_and_model_say_what_is_learned() -> None:
    gold, machine = np.array([0, 1, 1, 0]), (np.array([2]), np.array([0]))  # the machine errs
    one = Split(["x", "y"], list("abcd"), gold, [], gold[:0], np.array([1]), machine)
    people, finished, pool = (learn_from(one, s, Says()) for s in ("people", "finished", "pool"))
    assert (people.texts, people.by) == (["b"], ["people"])
    assert (finished.texts, finished.values.tolist()) == (["b", "c"], [[0, 1], [1, 0]])
    assert finished.by == ["people", "machine"]
    assert (pool.texts, pool.values[1:].tolist()) == (list("bacd"), [[0.5, 0.5]] * 3)
