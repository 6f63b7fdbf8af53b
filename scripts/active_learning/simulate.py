"""The loop over arrays, with an oracle for the people: what the benchmarks run.

It decides with the same `plan_step` as the real step, so a figure measured here is a figure of the
loop. One label a text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scripts.active_learning.arrays import Floats, Labels, Mask, Rows
from scripts.active_learning.autovalidation import (
    Evidence,
    MachineLabels,
    evidence_helps,
    measured_precision,
)
from scripts.active_learning.cross_validation import Predict, cross_validate
from scripts.active_learning.plan import StepSettings, plan_step
from scripts.active_learning.query import QueryState

# Embeddings (n, d), class numbers (n,), weights (n,) or None -> probabilities of embeddings.
Fit = Callable[[Floats, Labels, Floats | None], Predict]


@dataclass(frozen=True)
class Corpus:
    """embeddings: (n, d) of the pool. answers: (n,) what the oracle says when it is asked, wrong
    answers included. truth: (n,). test_embeddings, test_labels: texts never asked. k classes."""

    embeddings: Floats
    answers: Labels
    truth: Labels
    test_embeddings: Floats
    test_labels: Labels
    k: int


@dataclass(frozen=True)
class SimulationSettings:
    """budget: answers by people, audits included. start: how many of them make the first batch.
    folds: of the cross-validation that gives the evidence.
    """

    budget: int = 400
    start: int = 10
    folds: int = 5


@dataclass(frozen=True)
class Snapshot:
    """The loop after some answers: its model on the test texts, and the machine's answers.

    machine, machine_right: that stand, and how many of them are true; ever_*: that were ever given,
    withdrawn or audited since. audit_right: (u,) whether people agreed, of each that they checked.
    asked: rows of the pool in the order of asking.
    """

    labels: int
    predicted: Labels  # (t,) on the test texts
    certainty: Floats  # (t,)
    machine: int
    machine_right: int
    ever_machine: int
    ever_right: int
    threshold: float
    audit_right: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    asked: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.intp))

    @property
    def audited(self) -> int:
        return len(self.audit_right)


def simulate(
    corpus: Corpus,
    fit: Fit,
    step: StepSettings,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> list[Snapshot]:
    """Run the loop until the budget is spent or the pool is empty; a snapshot a step."""
    n = len(corpus.embeddings)
    human, machine = np.full(n, -1), np.full(n, -1)
    audit_of = np.full(n, -1)  # the machine's answer to a text that people have checked
    order: list[int] = []
    snapshots: list[Snapshot] = []
    ever = right = 0
    model: Predict | None = None
    while True:
        asked = np.array(order, dtype=np.intp)
        free = np.flatnonzero((human < 0) & (machine < 0))
        left = settings.budget - len(order)
        size = min(step.batch_size if order else settings.start, left)
        evidence = None
        if model is not None and evidence_helps(step.validation, len(asked)):
            seed = int(rng.integers(2**31))
            evidence = _evidence(corpus, fit, human, audit_of, asked, seed, settings.folds)
        if size <= 0 or not len(free):
            break
        standing = np.flatnonzero(machine >= 0)
        checked = audit_of >= 0
        plan = plan_step(
            _state(corpus, model, free, asked),
            replace(step, batch_size=size),
            rng,
            evidence,
            MachineLabels(
                _probs(corpus, model, standing),
                machine[standing],
                measured_precision(audit_of[checked], human[checked]),
            ),
        )
        machine[standing[plan.withdraw]] = -1
        query, auto = free[plan.query], free[plan.auto]
        # Audits come out of people's budget too, and count as answers by people.
        audits = free[plan.audit][: max(left - len(query), 0)]
        ever += len(auto)
        right += int((plan.auto_labels == corpus.truth[auto]).sum())
        machine[auto] = plan.auto_labels
        audit_of[audits] = machine[audits]
        machine[audits] = -1
        new = np.concatenate([query, audits]).astype(np.intp)
        human[new] = corpus.answers[new]
        order += new.tolist()
        asked = np.array(order, dtype=np.intp)
        model = _train(corpus, fit, human, asked)
        probs = model(corpus.test_embeddings)
        standing = np.flatnonzero(machine >= 0)
        snapshots.append(
            Snapshot(
                labels=len(order),
                predicted=probs.argmax(axis=1),
                certainty=probs.max(axis=1),
                machine=len(standing),
                machine_right=int((machine[standing] == corpus.truth[standing]).sum()),
                ever_machine=ever,
                ever_right=right,
                threshold=float(plan.thresholds.min()),
                audit_right=(audit_of == human)[audit_of >= 0],
                asked=asked,
            )
        )
    return snapshots


def at_budgets(snapshots: Sequence[Snapshot], budgets: Sequence[int]) -> dict[int, Snapshot]:
    """The last snapshot within each budget of labels; budgets before the first are left out."""
    found = {}
    for budget in budgets:
        within = [s for s in snapshots if s.labels <= budget]
        if within:
            found[budget] = within[-1]
    return found


def _probs(corpus: Corpus, model: Predict | None, rows: Rows) -> Floats:
    """(n, k); without a model, all labels are alike."""
    if model is None:
        return np.full((len(rows), corpus.k), 1 / corpus.k)
    return model(corpus.embeddings[rows])


def _state(corpus: Corpus, model: Predict | None, free: Rows, asked: Rows) -> QueryState:
    return QueryState(
        _probs(corpus, model, free),
        corpus.embeddings[free],
        corpus.embeddings[asked],
        _probs(corpus, model, asked),
    )


def _train(corpus: Corpus, fit: Fit, human: Labels, rows: Rows) -> Predict:
    return fit(corpus.embeddings[rows], human[rows], None)


def _evidence(
    corpus: Corpus, fit: Fit, human: Labels, audit_of: Labels, asked: Rows, seed: int, folds: int
) -> Evidence | None:
    if len(asked) < 2:
        return None
    probs = cross_validate(
        lambda train: _train(corpus, fit, human, asked[train]),
        corpus.embeddings[asked],
        corpus.k,
        folds,
        seed,
    )
    audited: Mask = audit_of[asked] >= 0
    return Evidence(probs, human[asked], audited)
