"""What a report says, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.loop.replay import Row
from scripts.reporting.about import Named
from scripts.reporting.pool_map import PoolMap
from scripts.reporting.scored import Scores
from scripts.reporting.texts import Shown


@dataclass(frozen=True)
class Promised:
    """share: Of these labels ("of all labels"), wrong at most, with that confidence; None where
    nothing is promised. lead: That in one sentence, or that there is nothing. lines: All there is
    to say of it."""

    share: float | None
    confidence: float
    lead: str
    lines: list[str]
    of: str = "of all labels"


@dataclass(frozen=True)
class Counts:
    """Texts of the pool by who has labelled them, and how many of the open ones wait for people.
    given: Labels by people of texts that are not in the pool. machine: Their share is that of those
    without a label by people."""

    pool: int
    people: int
    machine: int
    open: int
    waiting: int
    discarded: int
    given: int


@dataclass(frozen=True)
class LabelCount:
    """label: With its description. people, machine: Labels given by them."""

    label: str
    description: str
    people: int
    machine: int


@dataclass(frozen=True)
class Report:
    """several: A text can have any number of labels. gold: There are gold labels of the pool.
    simulated: They stand in for people. trained: There is a model that has learned from people.

    rows, worth: As `replay` and `worth` return them. test: Texts of the test set, 0 where there is
        none.
    scores: On the test set; without one, on people's labels, each text judged by a model that has
        not seen its label; None before there is a trained model.
    hidden: Texts that are left out of the map, as people are to answer them unswayed.
    in_pool: Whether Argilla has a data set of the whole pool.
    """

    name: str
    made: str
    several: bool
    gold: bool
    simulated: bool
    trained: bool
    promised: Promised
    counts: Counts
    labels: list[LabelCount]
    rows: Sequence[Row]
    worth: Sequence[tuple[str, float]]
    test: int
    scores: Scores | None
    map: PoolMap | None
    hidden: int
    in_pool: bool
    unsure: list[Shown]
    errors: list[Shown]
    contradictions: list[tuple[Shown, Shown]]
    settings: list[Named]
    pipeline: list[Named]
    versions: list[Named]
