"""Whether a model is as often right as it says."""

from typing import NamedTuple

import numpy as np

from scripts.active_learning.arrays import Floats, Mask

BINS = 15
# Of right and wrong answers, for what is chance.
DRAWS = 100


class Bin(NamedTuple):
    """Texts of about the same certainty: how many, the mean of it, and the share that is right."""

    size: int
    certainty: float
    accuracy: float


def reliability(certainty: Floats, right: Mask) -> list[Bin]:
    """Bins of equal width, without the empty ones, the least certain first.

    certainty, right: (n,) what the model says of its answers, and whether they are right.
    """
    bins = np.minimum((certainty * BINS).astype(int), BINS - 1)
    return [
        Bin(int(here.sum()), float(certainty[here].mean()), float(right[here].mean()))
        for here in (bins == b for b in np.unique(bins))
    ]


def calibration_error(certainty: Floats, right: Mask) -> float:
    """Mean distance between certainty (n,) and accuracy over 15 bins of equal width. right: (n,)
    whether the label of that certainty is right. Guo et al. 2017, "On Calibration of Modern Neural
    Networks"."""
    return sum(
        abs(one.certainty - one.accuracy) * one.size / len(certainty)
        for one in reliability(certainty, right)
    )


def calibration_by_chance(certainty: Floats) -> float:
    """The calibration error that a model which is as often right as it says has on average, on
    texts of this certainty (n,): the fewer texts, the further a bin's accuracy lies from it by
    chance. By consistency resampling (Broecker & Smith 2007, "Increasing the Reliability of
    Reliability Diagrams"): right answers are drawn by their certainty, with a fixed seed.
    """
    chance = np.random.default_rng(0).random((DRAWS, len(certainty)))
    return float(np.mean([calibration_error(certainty, one < certainty) for one in chance]))
