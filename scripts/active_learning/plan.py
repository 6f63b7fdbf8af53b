"""One step of the loop as a pure function: whom to ask, what the machine may answer itself.

The step that talks to Argilla and the simulation that the benchmarks run both call `plan_step`,
so what is measured is what runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from scripts.active_learning.arrays import Labels, Rows
from scripts.active_learning.autovalidation import (
    Evidence,
    MachineLabels,
    ValidationSettings,
    choose_thresholds,
    doubtful,
    passes,
    worth_probing,
)
from scripts.active_learning.decisions import decide
from scripts.active_learning.query import QueryState, Strategy, margin, typiclust


@dataclass(frozen=True)
class StepSettings:
    """batch_size: how many texts people get a step.
    strategy: picks them once there are labels.
    cold_start: picks them while there is none.
    random_share: this share of a batch is drawn at random from the pool. It is what an honest
        estimate of accuracy and the evidence for auto-validation rest on; 0 turns it off.
    validation: when the machine may answer by itself.
    """

    batch_size: int = 5
    strategy: Strategy = margin
    cold_start: Strategy = typiclust
    random_share: float = 0.1
    validation: ValidationSettings = field(default_factory=ValidationSettings)


@dataclass(frozen=True)
class Plan:
    """Rows are row numbers of the pool given to plan_step, except `withdraw`.

    query: rows that people are asked, best first; holds the rows of `sample`, not of `audit`.
    sample: those of query that were drawn at random from the pool.
    auto, auto_labels: rows that the machine answers and its answers, (a,) or (a, k).
    audit: those of auto whose answer people check.
    withdraw: row numbers of the standing machine labels given to plan_step to take back.
    thresholds: (k,) certainty a class needs to be answered by machine; infinity = never.
    reasons: sentences that say why, for the person who runs the step.
    """

    query: Rows
    sample: Rows
    auto: Rows
    auto_labels: Labels
    audit: Rows
    withdraw: Rows
    thresholds: np.ndarray
    reasons: tuple[str, ...]


def plan_step(
    state: QueryState,
    settings: StepSettings,
    rng: np.random.Generator,
    evidence: Evidence | None = None,
    machine: MachineLabels | None = None,
    names: Sequence[str] = (),
) -> Plan:
    """Decide one step.

    state: the texts that may be asked: no answer yet, none pending, not discarded.
    evidence: human answers beside the model's out-of-sample probabilities for the same texts.
    machine: the machine's standing answers.
    names: of the classes, for the reasons.
    """
    certainty = decide(state.probs, state.label_threshold)[1]
    thresholds, reasons = choose_thresholds(
        settings.validation, state.probs.shape[1], evidence, state.label_threshold
    )
    withdraw = np.zeros(0, dtype=np.intp)
    if machine is not None and len(machine):
        withdraw, why = doubtful(machine, thresholds, settings.validation, state.label_threshold)
        reasons += why
    cold = not len(state.labelled_embeddings)
    strategy = settings.cold_start if cold else settings.strategy

    if cold:
        # No answer by a person yet: nothing has shown that the machine may answer anything.
        thresholds = np.full(state.probs.shape[1], np.inf)
    if settings.validation.rule == "fixed":
        # The tutorial's heuristic: only what the strategy took can validate itself.
        query = strategy(state, settings.batch_size, rng)
        sure = passes(state.probs[query], thresholds, state.label_threshold)
        auto, query = query[sure], query[~sure]
        sample = query[:0]
    else:
        auto = np.flatnonzero(passes(state.probs, thresholds, state.label_threshold))
        auto = auto[np.argsort(-certainty[auto], kind="stable")][: settings.validation.at_most]
        query, sample, why = _ask(state, auto, strategy, cold, settings, evidence, names, rng)
        reasons += why
    audit = _audit(auto, settings.validation.audit_share, rng)
    auto_labels = decide(state.probs[auto], state.label_threshold)[0]
    return Plan(query, sample, auto, auto_labels, audit, withdraw, thresholds, reasons)


def _ask(
    state: QueryState,
    auto: Rows,
    strategy: Strategy,
    cold: bool,
    settings: StepSettings,
    evidence: Evidence | None,
    names: Sequence[str],
    rng: np.random.Generator,
) -> tuple[Rows, Rows, tuple[str, ...]]:
    """Rows for people from what the machine does not answer, those drawn at random, and why.

    The random sample comes first, as it must not depend on anything else. Of what remains it is a
    sample, which stopping.estimate_accuracy accounts for.
    """
    left = np.setdiff1d(np.arange(len(state)), auto)
    n = min(settings.batch_size, len(left))
    share = 0.0 if cold else settings.random_share
    sample = rng.choice(left, _round_at_random(n * share, rng), replace=False)
    left = np.setdiff1d(left, sample)
    region, why = worth_probing(
        settings.validation, state.probs[left], evidence, state.label_threshold, names
    )
    probes = min(
        _round_at_random(n * settings.validation.probe_share, rng), len(region), n - len(sample)
    )
    probe = left[rng.choice(region, probes, replace=False)]
    left = np.setdiff1d(left, probe)
    query = left[strategy(state.take(left), n - len(sample) - len(probe), rng)]
    return (
        np.concatenate([query, probe, sample]).astype(np.intp),
        sample.astype(np.intp),
        why if probes else (),
    )


def _audit(auto: Rows, share: float, rng: np.random.Generator) -> Rows:
    n = min(len(auto), _round_at_random(len(auto) * share, rng))
    return np.sort(rng.choice(auto, n, replace=False)) if n else auto[:0]


def _round_at_random(value: float, rng: np.random.Generator) -> int:
    """So that a share of 5 % of 10 is one in every other step, and not never."""
    return int(np.floor(value + rng.random()))
