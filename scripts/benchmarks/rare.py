"""A rare class in a large pool, of which a person knows three words: what searching the pool is
worth (`weasel run browse`), once, and with looks later at what the model makes of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2

from scripts.active_learning.arrays import Rows
from scripts.active_learning.cross_validation import Predict
from scripts.active_learning.geometry import nearest
from scripts.active_learning.scores import uncertainty
from scripts.active_learning.simulate import Corpus, Found, Snapshot
from scripts.benchmarks.corpora import Embedded
from scripts.benchmarks.data import read_labelled
from scripts.benchmarks.loops import NAMES, SHIPPED, Budget, run_loop
from scripts.cli.console import msg

WORDS = 3  # that the person knows, and texts of the search that they label
# Texts of the class beside those in the pool: what "finds" is measured on.
FEWEST_SPARE = 40
FOUND, PRECISE = 0.8, 0.5


class Source(NamedTuple):
    """A data set with its texts and the label of each."""

    data: Embedded
    texts: list[str]
    labels: list[str]


@dataclass(frozen=True)
class Conditions:
    """size: texts in the pool, if there are so many. share: of the rare class in it. budget: labels
    by people. similar: how many similar texts of each that was found are labelled. every: labels
    by the loop's own questions between two looks at the pool. check: how many texts such a look
    labels of those that the model calls so, and of those that have the words and are called
    otherwise. of: the classes of so many of the data sets, the first ones, are the rare one in
    turn."""

    size: int = 20_000
    share: float = 0.005
    budget: int = 200
    similar: int = 5
    every: int = 20
    check: int = 5
    of: int = 1


class Case(NamedTuple):
    """texts: of the pool, in the order of corpus. The corpus's test texts are those of the rare
    class that are not in the pool, then the whole pool. rare: the class's number. words: what the
    person knows of it."""

    name: str
    texts: list[str]
    corpus: Corpus
    data: Embedded
    rare: int
    spare: int
    words: list[str]


def read(source: str, data: Embedded) -> Source:
    """source: What `embed` has made the data of."""
    return Source(data, *read_labelled(source))


def cases(sources: Sequence[Source], conditions: Conditions, seed: int) -> Iterator[Case]:
    """One for each class that has texts enough to be rare in the pool, and to spare."""
    for at, source in enumerate(sources[: conditions.of]):
        for name in sorted(set(source.labels)):
            case = make_case(sources, at, name, conditions, np.random.default_rng([seed, at]))
            if case is not None:
                yield case


def make_case(
    sources: Sequence[Source], at: int, name: str, conditions: Conditions, rng: np.random.Generator
) -> Case | None:
    """The pool in which the class `name` of the source number `at` is rare; None if it has too few
    texts. Its labels are the classes of that source, and one for each other source."""
    own, others = sources[at], [s for i, s in enumerate(sources) if i != at]
    classes = sorted(set(own.labels))
    texts = [text for s in (own, *others) for text in s.texts]
    points = np.concatenate([s.data.embeddings for s in (own, *others)])
    labels = np.concatenate(
        [own.data.labels, *(np.full(len(s.texts), len(classes) + i) for i, s in enumerate(others))]
    )
    # A source as a whole is called what its texts mean on average, as nothing has named it.
    of_others = [s.data.embeddings.mean(axis=0, keepdims=True) for s in others]
    names = np.concatenate([own.data.label_names, *of_others])
    names /= np.linalg.norm(names, axis=1, keepdims=True)
    rare = classes.index(name)
    theirs = rng.permutation(np.flatnonzero(labels == rare))
    rest = rng.permutation(np.flatnonzero(labels != rare))
    rest = rest[: round(conditions.size * (1 - conditions.share))]
    few = round(len(rest) * conditions.share / (1 - conditions.share))
    if few < 1 or len(theirs) < few + FEWEST_SPARE:
        return None
    pool = rng.permutation(np.concatenate([rest, theirs[:few]]))
    spare = theirs[few:]
    corpus = Corpus(
        points[pool],
        labels[pool],
        labels[pool],
        np.concatenate([points[spare], points[pool]]),
        np.concatenate([labels[spare], labels[pool]]),
        len(classes) + len(others),
    )
    data = Embedded(own.data.name, points[pool], labels[pool], names, names)
    siblings = [text for text, label in zip(own.texts, own.labels, strict=True) if label != name]
    words = typical_words([texts[i] for i in spare], siblings)
    in_pool = [texts[i] for i in pool]
    return Case(f"{own.data.name}: {name}", in_pool, corpus, data, rare, len(spare), words)


def typical_words(theirs: Sequence[str], others: Sequence[str]) -> list[str]:
    """Three words that tell the texts of a class from others best (chi-squared, on whether a text
    has the word)."""
    count = CountVectorizer(
        binary=True, stop_words="english", token_pattern=r"(?u)\b[^\W\d_]{3,}\b", min_df=3
    )
    table = count.fit_transform([*theirs, *others])
    is_theirs = np.arange(table.shape[0]) < len(theirs)
    scores = np.nan_to_num(chi2(table, is_theirs)[0])
    in_theirs = np.asarray(table[is_theirs].mean(axis=0)).ravel()
    in_others = np.asarray(table[~is_theirs].mean(axis=0)).ravel()
    order = np.argsort(-scores * (in_theirs > in_others), kind="stable")
    return count.get_feature_names_out()[order[:WORDS]].tolist()


def search(case: Case, similar: int) -> Rows:
    """What the person labels: of the texts that have the words, those with the most of them, the
    first three; then, of each of them that is of the class, the most similar ones."""
    hits = words_in(case)
    order = np.argsort(-hits, kind="stable")
    first = order[: min(WORDS, int((hits > 0).sum()))]
    right = first[case.corpus.truth[first] == case.rare]
    points = case.corpus.embeddings
    near, _ = nearest(points[right], points, similar + 1)  # the first is the text itself
    return np.array(list(dict.fromkeys([*first.tolist(), *near.ravel().tolist()])), dtype=np.intp)


def words_in(case: Case) -> Rows:
    """(n,): how many of the words each text of the pool has."""
    count = CountVectorizer(
        binary=True, vocabulary=case.words, token_pattern=r"(?u)\b[^\W\d_]{3,}\b"
    )
    return np.asarray(count.transform(case.texts).sum(axis=1)).ravel()


def person(case: Case, conditions: Conditions, again: bool) -> Found:
    """A person who searches the pool when the first texts are labelled. again: and looks at the
    refreshed pool now and then (look_again)."""
    rows, hits = search(case, conditions.similar), words_in(case)
    labels = -1  # after the last look

    def found(asked: Rows, model: Predict) -> Rows:
        nonlocal labels
        if labels < 0:
            new = rows
        elif again and len(asked) - labels >= conditions.every:
            new = look_again(case, hits, asked, model, conditions.check)
        else:
            return rows[:0]
        labels = len(np.union1d(asked, new))
        return new

    return found


def look_again(case: Case, hits: Rows, asked: Rows, model: Predict, check: int) -> Rows:
    """What the page of the pool shows first, sorted by the model's uncertainty: of the texts that
    the model calls so, and of those that have one of the words and are called otherwise. Neither
    has been labelled yet."""
    probs = model(case.corpus.embeddings)
    order = np.argsort(-uncertainty(probs), kind="stable")
    order = order[~np.isin(order, asked)]
    called = probs[order].argmax(axis=1) == case.rare
    missed = ~called & (hits[order] > 0)
    return np.concatenate([order[called][:check], order[missed][:check]])


class Look(NamedTuple):
    """recall: share of the texts of the class outside the pool, which nobody is asked about, that
    the model finds. precision: share of the class among the texts of the pool that it calls so."""

    labels: int
    recall: float
    precision: float

    @property
    def finds(self) -> bool:
        return self.recall >= FOUND and self.precision >= PRECISE


def look(case: Case, snapshot: Snapshot) -> Look:
    called = snapshot.predicted == case.rare
    found, in_pool = called[: case.spare], called[case.spare :]
    right = (in_pool & (case.corpus.truth == case.rare)).sum()
    return Look(snapshot.labels, float(found.mean()), float(right / max(in_pool.sum(), 1)))


def looks(case: Case, budget: int, seed: int, found: Found | None = None) -> list[Look]:
    """After each step of the loop as shipped, until the model finds the class or the budget is
    spent. found: What the person labels in the pool."""
    snapshots = run_loop(
        f"{SHIPPED}/{NAMES}",
        case.corpus,
        case.data,
        Budget(labels=budget),
        seed,
        found,
        lambda snapshot: look(case, snapshot).finds,
    )
    return [look(case, snapshot) for snapshot in snapshots]


def compare(sources: Sequence[Source], conditions: Conditions, seeds: int) -> list[dict[str, Any]]:
    """A row a class, medians over the seeds, and one of all: labels until the model finds the class
    (80 % of it, and half of what it calls so is of the class), and the share of the class that it
    finds at the end and what of the pool it calls so that is, in percent: without a search of the
    pool, with one ("search"), and with one and looks at the pool after it ("looks"). The labels
    that these cost count."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in range(seeds):
        for case in cases(sources, conditions, seed):
            found = search(case, conditions.similar)
            run = {
                "pool": len(case.texts),
                "rare": int((case.corpus.truth == case.rare).sum()),
                "words": ", ".join(case.words),
                "searched": len(found),
                "of them right": int((case.corpus.truth[found] == case.rare).sum()),
            }
            arms = {
                "without": None,
                "search": person(case, conditions, again=False),
                "looks": person(case, conditions, again=True),
            }
            for name, theirs in arms.items():
                seen = looks(case, conditions.budget, seed, theirs)
                run[name] = seen[-1].labels if seen[-1].finds else float("inf")
                run[f"recall {name}"] = round(100 * seen[-1].recall)
                run[f"precision {name}"] = round(100 * seen[-1].precision)
            runs.setdefault(case.name, []).append(run)
            msg.text(f"{case.name}, seed {seed + 1} of {seeds}: {run}")
    rows = [{"class": name, **_median(some)} for name, some in runs.items()]
    every = [run for some in runs.values() for run in some]
    return [*rows, {"class": "all", **_median(every), "words": ""}] if rows else rows


def _median(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    middle = {
        name: runs[0][name]
        if name == "words"
        else float(np.quantile([run[name] for run in runs], 0.5, method="higher"))
        for name in runs[0]
    }
    return {
        name: value if isinstance(value, str) else f"{value:.0f}" if np.isfinite(value) else "never"
        for name, value in middle.items()
    }
