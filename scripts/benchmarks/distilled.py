"""Small models beside the big one: what they lose by what they learn from, and what they win."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from sklearn.metrics import f1_score
from spacy.training import Example
from spacy.util import load_config

from scripts.active_learning.arrays import Rows
from scripts.active_learning.plan import Machine
from scripts.benchmarks.corpora import DESCRIPTIONS, embed, split, take
from scripts.benchmarks.data import read_labelled
from scripts.benchmarks.loops import SHIPPED, Budget, run_loop, shipped_settings
from scripts.cli.console import msg
from scripts.data.corpus import Pool, text_id
from scripts.distilling.big import BigModel
from scripts.distilling.compare import BIG, probabilities
from scripts.distilling.deployed import Measured, measure
from scripts.distilling.fit import Kind, Plan, fit, needs_vectors
from scripts.distilling.targets import SOURCES, Targets, as_rows, with_answers
from scripts.distilling.vectors import words_of, write_vectors
from scripts.loop.learner import Learner
from scripts.loop.settings import TEXTCAT

TIMED, ROUNDS = 1000, 5  # texts; the median counts


@dataclass(frozen=True)
class Split:
    """Texts and their gold labels of a pool and of a test set, what people answered in the loop
    (row numbers of the pool), and what the machine may answer at its end (rows, class numbers)."""

    labels: list[str]
    pool: list[str]
    pool_gold: np.ndarray
    test: list[str]
    test_gold: np.ndarray
    asked: Rows
    machine: tuple[Rows, np.ndarray]


@dataclass(frozen=True)
class Conditions:
    """people: Labels by people that the loop ends with. share: Of the pool that is there at all.
    kinds: Of small models."""

    encoder: Path
    cache: Path
    people: int
    seeds: int
    share: float = 1.0
    kinds: Sequence[Kind] = get_args(Kind)


def compare(sources: Sequence[str], conditions: Conditions) -> Iterator[dict[str, Any]]:
    """A row for the big model and for each small one by what it learns from: macro-F and accuracy
    on the test texts, mean and standard deviation over the seeds; its points behind the big one's;
    and of the first seed what it takes, as it is deployed."""
    for source in sources:
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        sizes: dict[str, list[int]] = defaultdict(list)
        costs: dict[str, Measured] = {}
        for seed in range(conditions.seeds):
            one = run(source, conditions, seed)
            with tempfile.TemporaryDirectory() as folder:
                for name, size, predicted in train_all(one, conditions, seed, Path(folder)):
                    found[name].append(judge(one.test_gold, predicted))
                    sizes[name].append(size)
                if not seed:
                    costs = measure(
                        in_turn(Path(folder), conditions.kinds), one.test[:TIMED], ROUNDS
                    )
            msg.text(f"{Path(source).stem}: seed {seed + 1} of {conditions.seeds} done")
        yield from rows(Path(source).stem, found, sizes, costs)


def run(source: str, conditions: Conditions, seed: int) -> Split:
    """The shipped loop with an oracle, on the same split as in the other benchmarks."""
    texts, gold = read_labelled(source)
    data = embed(source, conditions.encoder, conditions.cache)
    k = len(data.label_names)
    # The same draw twice: once of the arrays, and once of which rows they are.
    numbers = np.arange(len(texts), dtype=np.float32)[:, None]
    order = split(numbers, data.labels, k, np.random.default_rng(seed))
    corpus = split(data.embeddings, data.labels, k, np.random.default_rng(seed))
    pool = order.embeddings[:, 0].astype(int)
    test = order.test_embeddings[:, 0].astype(int)
    if conditions.share < 1:
        keep = slice(round(len(pool) * conditions.share))
        pool, corpus = pool[keep], take(corpus, keep)
    # Judged once, at the end: what people are asked does not depend on it.
    budget = Budget(labels=conditions.people, look_every=conditions.people)
    last = run_loop(SHIPPED, corpus, data, budget, seed)[-1]
    open_ = np.setdiff1d(np.arange(len(pool)), last.asked)
    decided = last.decided
    assert isinstance(decided, Machine)
    return Split(
        sorted(set(gold)),
        [texts[i] for i in pool],
        corpus.truth,
        [texts[i] for i in test],
        corpus.test_labels,
        last.asked,
        (open_[decided.rows], decided.labels),
    )


def train_all(
    one: Split, conditions: Conditions, seed: int, folder: Path
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Name, number of texts it learned from, and class numbers of the test texts, of each model;
    it is in the folder of its name."""
    big = train_big(one, conditions, folder / BIG)
    predicted = big.predict(one.test).argmax(axis=1)
    msg.text(f"{BIG}: {(predicted == one.test_gold).mean():.3f}")
    yield BIG, len(one.asked), predicted
    vectors = folder / "vectors"
    if any(map(needs_vectors, conditions.kinds)):
        write_vectors(words_of(one.pool, big.tokenizer, "en"), big.encode, "en", vectors)
    for kind in conditions.kinds:
        for source in SOURCES:
            name, targets = f"{kind}, {source}", learn_from(one, source, big)
            known = vectors if needs_vectors(kind) else None
            nlp = fit(targets, Plan(kind, one.labels, vectors=known, seed=seed), folder / name)
            predicted = probabilities(nlp, one.test, one.labels).argmax(axis=1)
            msg.text(f"{name}: {(predicted == one.test_gold).mean():.3f}")
            yield name, len(targets), predicted


def train_big(one: Split, conditions: Conditions, folder: Path) -> BigModel:
    """As `weasel run train` does it."""
    labels = {label: DESCRIPTIONS.get(label, label) for label in one.labels}
    pool = Pool([text_id(text) for text in one.pool], one.pool)
    encoder = {f"components.{TEXTCAT}.encoder.path": str(conditions.encoder)}
    config = load_config(shipped_settings().paths.pipeline, encoder, interpolate=False)
    config.to_disk(folder.with_suffix(".cfg"))
    learner = Learner(folder.with_suffix(".cfg"), conditions.cache, labels, pool)
    given = [
        {label: float(label == one.labels[one.pool_gold[row]]) for label in one.labels}
        for row in one.asked
    ]
    examples = [
        Example.from_dict(learner.nlp.make_doc(one.pool[row]), {"cats": cats})
        for row, cats in zip(one.asked, given, strict=True)
    ]
    learner.initialize(examples)
    learner.nlp.to_disk(folder)
    return BigModel(folder, one.labels, conditions.cache)


def learn_from(one: Split, source: str, big: BigModel) -> Targets:
    """As `weasel run distil` does it."""
    rows, said = one.asked, one.pool_gold[one.asked]
    by = ["people"] * len(rows)
    if source == "finished":
        rows, said = np.append(rows, one.machine[0]), np.append(said, one.machine[1])
        by += ["machine"] * len(one.machine[0])
    given = [[one.labels[c]] for c in said]
    known = Targets([one.pool[row] for row in rows], as_rows(given, one.labels), by)
    return with_answers(known, one.pool, big.predict) if source == "pool" else known


def in_turn(folder: Path, kinds: Sequence[Kind]) -> dict[str, tuple[Path, bool]]:
    """What is timed: the big model, and one small model of each kind."""
    found = {BIG: (folder / BIG, True)}
    return found | {kind: (folder / f"{kind}, {SOURCES[-1]}", False) for kind in kinds}


def judge(gold: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Macro-F and accuracy."""
    macro = f1_score(gold, predicted, average="macro", zero_division=0)
    return float(macro), float((gold == predicted).mean())


def rows(
    data: str,
    found: dict[str, list[tuple[float, float]]],
    sizes: dict[str, list[int]],
    costs: dict[str, Measured],
) -> Iterator[dict[str, Any]]:
    big = np.array(found[BIG])
    big_cost = costs[BIG].summary()
    for name, values in found.items():
        these = np.array(values)
        spread = these.std(axis=0, ddof=1) if len(these) > 1 else np.zeros(2)
        behind = 100 * (these - big).mean(axis=0)
        cost = costs[name.partition(",")[0]].summary()
        times = cost["texts_a_second"] / big_cost["texts_a_second"]
        yield {
            "data": data,
            "model": name,
            "learns from": f"{np.mean(sizes[name]):.0f}",
            "macro-F": f"{these[:, 0].mean():.3f} ± {spread[0]:.3f}",
            "accuracy": f"{these[:, 1].mean():.3f} ± {spread[1]:.3f}",
            "points": "" if name == BIG else f"{behind[0]:+.1f} / {behind[1]:+.1f}",
            "texts a second": f"{cost['texts_a_second']:.0f}",
            "times": f"{times:.1f}",
            "MB disk": f"{cost['megabytes_on_disk']:.1f}",
            "MB memory": f"{cost['megabytes_of_memory']:.0f}",
            "s to first answer": f"{cost['seconds_to_first_answer']:.2f}",
        }
