"""One table of the big model and the small one."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from sklearn.metrics import f1_score
from spacy.language import Language

from scripts.distilling.big import BigModel
from scripts.distilling.deployed import measure
from scripts.distilling.fit import decided
from scripts.shipping.scores import macro_f_interval

BIG = "classy_textcat"
TIMED = 1000


@dataclass(frozen=True)
class Judged:
    """What both models are judged on: texts that neither has learned from. gold: Zeros and ones
    (n, n_labels) where there is a test set; None where all that can be said is how often both
    agree."""

    texts: list[str]
    gold: np.ndarray | None


def probabilities(nlp: Language, texts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Of a pipeline's textcat, (n, n_labels)."""
    rows = [[doc.cats[label] for label in labels] for doc in nlp.pipe(texts)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(labels))


def scores(gold: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """gold, predicted: Zeros and ones, (n, n_labels). accuracy: The share of texts with exactly the
    right label or labels. macro_f counts as spaCy's cats_macro_f: a label that is nowhere is 0."""
    given, found = gold > 0, predicted > 0
    low, high = macro_f_interval(given, found)
    return {
        "macro_f": float(f1_score(given, found, average="macro", zero_division=0)),
        "macro_f_interval": [low, high],
        "accuracy": float((given == found).all(axis=1).mean()),
    }


def compare(big: BigModel, small: Path, name: str, judged: Judged, rounds: int) -> dict[str, Any]:
    """What is said of each model, by its name; and "texts" (how many they are judged on),
    "agreement" (the share on which both say the same).

    small: The folder of a pipeline. name: Of it. rounds: Of timing; the median counts.
    """
    from scripts.data.pipelines import load

    labels, threshold = big.labels, big.threshold
    says = {
        BIG: decided(big.predict(judged.texts), threshold),
        name: decided(probabilities(load(small), judged.texts, labels), threshold),
    }
    found = measure({BIG: (big.folder, True), name: (small, False)}, judged.texts[:TIMED], rounds)
    same = float((says[BIG] == says[name]).all(axis=1).mean())
    return {
        "texts": len(judged.texts),
        "agreement": same,
        "models": {
            model: {
                **(scores(judged.gold, says[model]) if judged.gold is not None else {}),
                **found[model].summary(),
            }
            for model in says
        },
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """The table: what, the big model, the small one, and how they compare. Head first."""
    (big_name, big), (small_name, small) = result["models"].items()
    lines: list[tuple[str, ...]] = [("", big_name, small_name, "")]

    def points(key: str, what: str) -> None:
        less = 100 * (small[key] - big[key])
        lines.append((what, f"{big[key]:.3f}", f"{small[key]:.3f}", f"{less:+.1f} points"))

    if "macro_f" in big:
        points("macro_f", "macro-F")
        between = [m["macro_f_interval"] for m in (big, small)]
        low_high = [f"{low:.3f}-{high:.3f}" for low, high in between]
        lines.append(("  95 % interval", *low_high, ""))
        points("accuracy", "accuracy")
    lines.append(("says the same", "", f"{result['agreement']:.3f}", "of the texts"))
    times = small["texts_a_second"] / big["texts_a_second"]
    speeds = [f"{m['texts_a_second']:,.0f}" for m in (big, small)]
    lines.append(("texts a second", *speeds, f"{times:.1f} x"))
    for key, what, form in (
        ("megabytes_on_disk", "MB on disk", ".1f"),
        ("megabytes_of_memory", "MB of memory", ".0f"),
        ("seconds_to_first_answer", "s to first answer", ".2f"),
    ):
        share = f"{small[key] / big[key]:.2f} x"
        lines.append((what, f"{big[key]:{form}}", f"{small[key]:{form}}", share))
    return lines


def save(result: dict[str, Any], path: Path) -> None:
    """As JSON, and the table beside it as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(path, result)
    with path.with_suffix(".csv").open("w", newline="", encoding="utf8") as file:
        csv.writer(file).writerows([cell.strip() for cell in row] for row in rows(result))
