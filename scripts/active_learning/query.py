"""Query strategies: which texts of the pool a person should label next.

A strategy is a pure function of the pool's probabilities and embeddings. It returns the row
numbers it picks, best first. Scores are "higher is asked first" and ties are broken at random,
so that a model that knows nothing yet (all probabilities equal) picks at random and not by the
order of the file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from scripts.active_learning.arrays import Floats, Rows
from scripts.active_learning.geometry import (
    blocks,
    clusters,
    farthest_first,
    nearest,
    typicality,
    unit,
    without_near_duplicates,
)
from scripts.active_learning.scores import entropy_score, least_confidence_score, margin_score

# Two texts with a higher cosine say the same: asking for both wastes an answer.
NEAR_DUPLICATE = 0.95
# Of the chances of margin_sampling.
DEFAULT_POWER = 4.0


def _no_rows() -> Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True)
class QueryState:
    """What a strategy may look at.

    probs: (n, k) the model's probabilities for the n texts of the pool that can be asked.
    embeddings: (n, d) their embeddings; may be empty (0, 0) for strategies that don't use them.
    labelled_embeddings: (m, d) embeddings of the texts that already have a label; (0, 0) if none.
    labelled_probs: (m, k) the model's probabilities for those; (0, 0) if none.
    label_threshold: where the k classes are independent (each row is k probabilities of "yes"),
        the probability from which on it is yes; None if the classes exclude each other.
    """

    probs: Floats
    embeddings: Floats = field(default_factory=_no_rows)
    labelled_embeddings: Floats = field(default_factory=_no_rows)
    labelled_probs: Floats = field(default_factory=_no_rows)
    label_threshold: float | None = None

    def __post_init__(self) -> None:
        if self.probs.ndim != 2:
            raise ValueError(f"probs must have shape (n, k), not {self.probs.shape}")
        if not np.isfinite(self.probs).all():
            raise ValueError("probs hold values that are not finite; check the model's training")
        if self.embeddings.size and len(self.embeddings) != len(self.probs):
            raise ValueError(
                f"{len(self.probs)} rows of probabilities but {len(self.embeddings)} embeddings"
            )
        if self.labelled_probs.size and len(self.labelled_probs) != len(self.labelled_embeddings):
            raise ValueError(
                f"{len(self.labelled_embeddings)} labelled embeddings but "
                f"{len(self.labelled_probs)} rows of their probabilities"
            )

    def __len__(self) -> int:
        return len(self.probs)

    @property
    def multi_label(self) -> bool:
        return self.label_threshold is not None

    def take(self, rows: Rows) -> "QueryState":
        """The same state with these rows of the pool only."""
        embeddings = self.embeddings[rows] if self.embeddings.size else self.embeddings
        return replace(self, probs=self.probs[rows], embeddings=embeddings)


Strategy = Callable[[QueryState, int, np.random.Generator], Rows]


def top_rows(scores: Floats, n: int, rng: np.random.Generator) -> Rows:
    """The rows of the n highest of scores (m,), highest first, ties in random order."""
    order = np.lexsort((rng.random(len(scores)), -scores))
    return order[: max(n, 0)]


def fifo(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """In the order of the pool: the tutorial's way."""
    return np.arange(min(max(n, 0), len(state)))


def random(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """Uniformly at random: the measure that every other strategy has to beat."""
    return rng.permutation(len(state))[: max(n, 0)]


def least_confidence(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The texts whose best class is least probable (see least_confidence_score)."""
    return top_rows(least_confidence_score(state.probs, state.multi_label), n, rng)


def margin(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The texts whose two best classes are closest (see margin_score)."""
    return top_rows(margin_score(state.probs, state.multi_label), n, rng)


def entropy(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The texts with the most even spread over all classes (see entropy_score)."""
    return top_rows(entropy_score(state.probs, state.multi_label), n, rng)


# Luo et al. 2005, "Active Learning to Recognize Multiple Types of Plankton", gave margin sampling
# its second name: "breaking ties" asks for the smallest difference of the two best classes.
breaking_ties = margin


@dataclass(frozen=True)
class Sampling:
    """A strategy that draws by chance: each text in proportion to its score to this power.

    score: As margin_score. power: 0 is uniform; the higher, the more like the strategy that takes
    the highest scores. Kirsch et al. 2023, "Stochastic Batch Acquisition: A Simple Baseline for
    Deep Active Learning": as good as the highest scores, and in batches better, as the texts
    differ. As the chances are known, the labels also prove what the model is worth (draw.py).
    """

    score: Callable[[Floats, bool], Floats] = margin_score
    power: float = DEFAULT_POWER

    def __post_init__(self) -> None:
        if not 0 <= self.power < np.inf:  # nan, too
            raise ValueError("power must be at least 0, and finite")

    def weights(self, state: QueryState) -> Floats:
        """(n,) in proportion to the chances of one draw, none of them 0."""
        scores = np.maximum(self.score(state.probs, state.multi_label), 1e-6)
        return (scores / scores.max(initial=1e-6)) ** self.power + 1e-9

    def __call__(self, state: QueryState, n: int, rng: np.random.Generator) -> Rows:
        n = min(max(n, 0), len(state))
        if not n:
            return np.zeros(0, dtype=np.intp)
        weights = self.weights(state)
        return rng.choice(len(state), n, replace=False, p=weights / weights.sum())


def kcenter(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """Core-set: the texts farthest from everything that has a label or was picked before.

    Sener & Savarese 2018, "Active Learning for Convolutional Neural Networks: A Core-Set
    Approach", the greedy version. Looks at embeddings alone, so it likes outliers.
    """
    return farthest_first(_points(state), unit(state.labelled_embeddings), n, rng)


def badge(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """Texts whose labels would move the model far, and in different directions.

    Ash et al. 2020, "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds":
    k-means++ on the gradients of a linear head, if its best guess were right. Such a gradient is
    the outer product of (probabilities - guess) and the embedding; its distances come from the
    two factors, so the (n, k * d) matrix is never made.
    """
    points = _points(state)
    guess = (
        (state.probs >= state.label_threshold).astype(np.float32)
        if state.label_threshold is not None
        else np.eye(state.probs.shape[1], dtype=np.float32)[state.probs.argmax(axis=1)]
    )
    error = state.probs.astype(np.float32) - guess
    norm = (error**2).sum(axis=1)
    # The squared distance to the nearest gradient that was picked; at first, to no gradient at all.
    far = norm.astype(np.float64)
    picked: list[int] = []
    for _ in range(min(n, len(state))):
        far[picked] = 0
        if not picked:
            row = int(top_rows(norm, 1, rng)[0])
        elif far.sum() > 0:
            row = int(rng.choice(len(state), p=far / far.sum()))
        else:  # all that is left equals something picked
            row = int(rng.choice(np.setdiff1d(np.arange(len(state)), picked)))
        distance = norm + norm[row] - 2 * (error @ error[row]) * (points @ points[row])
        far = np.maximum(np.minimum(far, distance) if picked else distance, 0).astype(np.float64)
        picked.append(row)
    return np.array(picked, dtype=np.intp)


def contrastive(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """Texts that the model judges differently from their nearest labelled neighbours.

    Margatina et al. 2021, "Active Learning by Acquiring Contrastive Examples" (CAL): the mean
    Kullback-Leibler divergence from the predictions of the 10 nearest labelled texts. Without
    labelled texts there is nothing to contrast, so it falls back on the margin.
    """
    if not state.labelled_probs.size:
        return margin(state, n, rng)
    points, labelled = _points(state), unit(state.labelled_embeddings)
    scores = np.zeros(len(state))
    for block in blocks(len(state), 10 * state.probs.shape[1]):
        neighbours, _ = nearest(points[block], labelled, 10)
        theirs = state.labelled_probs[neighbours]
        ours = state.probs[block][:, None, :]
        divergence = _divergence(theirs, ours)
        if state.multi_label:
            divergence += _divergence(1 - theirs, 1 - ours)
        scores[block] = divergence.sum(axis=2).mean(axis=1)
    return top_rows(scores, n, rng)


def typiclust(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """The most typical text of each of the largest clusters that hold no label yet.

    Hacohen et al. 2022, "Active Learning on a Budget: Opposite Strategies Suit High and Low
    Budgets". Looks at embeddings alone; made for the first labels. Clusters are as many as there
    are labels, old and new, up to 300.
    """
    points, labelled = _points(state), unit(state.labelled_embeddings)
    # A copy of a large pool only where it must be.
    every = np.vstack([points, labelled]) if len(labelled) else points
    cluster = clusters(every, min(len(labelled) + n, 300), rng)
    cluster, covered = cluster[: len(points)], cluster[len(points) :]
    members = {c: np.flatnonzero(cluster == c) for c in np.unique(cluster)}
    labels_in = np.bincount(covered, minlength=300)
    takes: dict[int, int] = dict.fromkeys(members, 0)
    turns: list[int] = []
    for _ in range(min(n, len(points))):
        # fewest labels first, then the largest
        free = (c for c in members if takes[c] < len(members[c]))
        c = min(free, key=lambda c: (labels_in[c] + takes[c], -len(members[c])))
        takes[c] += 1
        turns.append(c)
    best = {
        c: iter(_most_typical(points, members[c], take, rng)) for c, take in takes.items() if take
    }
    return np.array([next(best[c]) for c in turns], dtype=np.intp)


def diverse_uncertainty(state: QueryState, n: int, rng: np.random.Generator) -> Rows:
    """Unsure texts that differ from each other: the most uncertain tenfold of the batch falls
    into as many clusters as texts are wanted, and each gives its most uncertain one.

    Zhdanov 2019, "Diverse Mini-Batch Active Learning", with margins as uncertainty.
    """
    n = min(max(n, 0), len(state))
    scores = margin_score(state.probs, state.multi_label)
    unsure = top_rows(scores, max(10 * n, 50), rng)
    points = unit(state.embeddings[unsure]) if state.embeddings.size else np.zeros((len(unsure), 1))
    cluster = clusters(points, n, rng, weight=np.maximum(scores[unsure], 1e-3))
    # `unsure` is in order of uncertainty, so the first of a cluster is its most uncertain
    first = np.sort(np.unique(cluster, return_index=True)[1])
    rest = np.setdiff1d(np.arange(len(unsure)), first)
    order = np.concatenate([first, rest]).astype(np.intp)
    return unsure[without_near_duplicates(points, order, n, NEAR_DUPLICATE)]


def _points(state: QueryState) -> Floats:
    if len(state.embeddings) != len(state):
        raise ValueError("this strategy compares embeddings; the state holds none")
    return unit(state.embeddings)


def _divergence(p: Floats, q: Floats) -> Floats:
    """The terms of the Kullback-Leibler divergence of p from q."""
    tiny = 1e-12
    return p * (np.log(np.maximum(p, tiny)) - np.log(np.maximum(q, tiny)))


def _most_typical(points: Floats, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
    """The n most typical of these rows, typical first; judged on a sample if there are many."""
    if len(rows) > 5_000 + n:
        rows = rng.choice(rows, 5_000 + n, replace=False)
    return rows[top_rows(typicality(points[rows]), n, rng)]


STRATEGIES: dict[str, Strategy] = {
    "fifo": fifo,
    "random": random,
    "least_confidence": least_confidence,
    "margin": margin,
    "breaking_ties": breaking_ties,
    "entropy": entropy,
    "kcenter": kcenter,
    "badge": badge,
    "contrastive": contrastive,
    "typiclust": typiclust,
    "diverse_uncertainty": diverse_uncertainty,
    "margin_sampling": Sampling(),
}
