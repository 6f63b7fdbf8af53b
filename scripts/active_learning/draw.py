"""Drawing the texts that people are asked, each by a known chance.

A draw comes from a mixture: with some probability from anywhere in the pool, what the machine would
answer included, and otherwise from where the model is unsure. So labels teach and prove at the same
time: every text can be drawn, and a label counts by one over its chance (Hesterberg 1995, "Weighted
Average Importance Sampling and Defensive Mixture Distributions").
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scripts.active_learning.arrays import Floats, Rows
from scripts.active_learning.query import QueryState, Sampling, Strategy


@dataclass(frozen=True)
class DrawSettings:
    """anywhere: share of the draws that may fall anywhere in the pool.
    prove: the same from the label number `teach` on, until the draws are enough to prove a promise
        where the machine makes no mistake.
    """

    anywhere: float = 0.25
    prove: float = 0.9
    teach: int = 50

    def __post_init__(self) -> None:
        for name in ("anywhere", "prove"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1")
        if self.teach < 0:
            raise ValueError("teach must be at least 0")


class Drawn(NamedTuple):
    """rows: (b,) of the state, in the order of drawing. chance: (b,) probability with which the
    draw took this text from those that were still open; NaN for a text that no chance chose, which
    proves nothing. open: (b,) how many those were. anywhere: (b,) share of the draw that was
    uniform, so that chance >= anywhere / open."""

    rows: Rows
    chance: Floats
    open: Rows
    anywhere: Floats

    @classmethod
    def chosen(cls, rows: Rows) -> "Drawn":
        """Rows that no chance chose."""
        n = len(rows)
        nothing = np.full(n, np.nan)
        return cls(rows.astype(np.intp), nothing, np.zeros(n, dtype=np.intp), np.zeros(n))

    def take(self, part: slice) -> "Drawn":
        return Drawn(self.rows[part], self.chance[part], self.open[part], self.anywhere[part])

    def then(self, other: "Drawn") -> "Drawn":
        return Drawn(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.chance, other.chance]),
            np.concatenate([self.open, other.open]),
            np.concatenate([self.anywhere, other.anywhere]),
        )


def draw(
    state: QueryState, n: int, strategy: Strategy, anywhere: float, rng: np.random.Generator
) -> Drawn:
    """n texts, one after the other, none twice.

    strategy: Where a draw falls that may not fall anywhere. If it draws by chance itself (see
        Sampling), every text has a known chance; any other strategy chooses its share of the
        texts, which then prove nothing.
    """
    n = min(n, len(state))
    if not isinstance(strategy, Sampling):
        uniform = rng.choice(len(state), rng.binomial(n, anywhere), replace=False)
        rest = np.setdiff1d(np.arange(len(state)), uniform)
        chosen = rest[strategy(state.take(rest), n - len(uniform), rng)]
        left = len(state) - np.arange(len(uniform))
        drawn = Drawn(uniform, 1 / left, left, np.ones(len(uniform)))
        return drawn.then(Drawn.chosen(chosen))
    weights = strategy.weights(state)
    left = np.arange(len(state))
    rows, chances = [], []
    for _ in range(n):
        chance = anywhere / len(left) + (1 - anywhere) * weights[left] / weights[left].sum()
        at = int(rng.choice(len(left), p=chance / chance.sum()))
        rows.append(left[at])
        chances.append(chance[at])
        left = np.delete(left, at)
    return Drawn(
        np.array(rows, dtype=np.intp),
        np.array(chances, dtype=np.float64),
        len(state) - np.arange(n),
        np.full(n, anywhere),
    )
