"""Everything that a report says, from Argilla, the pool and the test set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from scripts.active_learning.decisions import decide
from scripts.active_learning.plan import in_words
from scripts.cli.words import listed, rests_on, sentence
from scripts.data.corpus import Pool, read_name
from scripts.loop.assess import Assessment, assess
from scripts.loop.export_rows import Today, judge
from scripts.loop.learner import Learner
from scripts.loop.replay import Row, Test
from scripts.loop.settings import Settings
from scripts.records.answers import Answers
from scripts.records.dataset import ORACLE, LoopDataset
from scripts.records.links import links
from scripts.records.pool_dataset import find_pool
from scripts.reporting.about import loop_settings, pipeline_settings, versions
from scripts.reporting.facts import Counts, LabelCount, Promised, Report
from scripts.reporting.pool_map import PoolMap, draw_map
from scripts.reporting.scored import Scores, score
from scripts.reporting.texts import Pair, contradictions, errors, unsure, with_link
from scripts.reporting.words import share, shortened

ON_MAP = 140  # characters of a text
NOTHING = "Nothing is promised yet."


@dataclass(frozen=True)
class Steps:
    """What `replay` and `worth` have measured. gold: There are gold labels of the pool. test: None
    where there is no test set."""

    rows: Sequence[Row]
    worth: Sequence[tuple[str, float]]
    gold: bool
    test: Test | None


def gather(
    loop: tuple[LoopDataset, Learner, Pool],
    answers: Answers,
    steps: Steps,
    settings: Settings,
    config: tuple[Path, list[str]],
) -> Report:
    """Train on all answers and look at what comes out. Nothing in Argilla is changed.

    config: The file of the settings and what overrides it, as they are shown too.
    """
    dataset, learner, pool = loop
    found = assess(answers, learner, pool, settings.loop, waiting=True)
    today = judge(found, answers, learner, settings)
    machine = _machine(today, answers, settings)
    probs = learner.predict(learner.embed(pool.texts))
    scores = _scores(found, answers, learner, steps.test) if today else None
    doubtful = unsure(found, answers, set(machine), pool, learner)
    wrong = errors(found, answers, learner) if today else []
    pairs = _contradictions(found, answers, learner) if today else []
    shown = [*doubtful, *wrong, *(one for pair in pairs for one in pair)]
    in_pool = find_pool(dataset)
    where = links(dataset, in_pool, {one.id: one.text for one in shown}, answers.all)
    hidden = {answer.text_id for answer in [*answers.waiting, *answers.tied] if answer.blind}
    return Report(
        name=read_name(settings.paths.corpus),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        several=learner.multi_label,
        gold=steps.gold,
        simulated=any(v.user == ORACLE for a in answers.all for v in a.votes),
        trained=today is not None,
        promised=_promised(today, answers, steps.rows[-1], settings),
        counts=_counts(answers, machine, pool),
        labels=_labels(answers, machine, learner),
        rows=steps.rows,
        worth=steps.worth,
        test=len(steps.test[0]) if steps.test else 0,
        scores=scores,
        map=_map(probs, answers, pool, learner, hidden),
        hidden=len(hidden & set(pool.ids)),
        in_pool=in_pool is not None,
        unsure=[with_link(one, where) for one in doubtful],
        errors=[with_link(one, where) for one in wrong],
        contradictions=[(with_link(one, where), with_link(two, where)) for one, two in pairs],
        settings=loop_settings(settings, *config),
        pipeline=pipeline_settings(settings),
        versions=versions(settings, learner, today.agent if today else "not trained yet"),
    )


def _machine(
    today: Today | None, answers: Answers, settings: Settings
) -> Mapping[str, tuple[str, ...]]:
    """Text id -> labels that the machine has given. In a team Argilla has none of them, and they
    are in the file of `finish` alone."""
    if settings.argilla.min_submitted > 1:
        return today.labels if today else {}
    return {answer.text_id: answer.labels for answer in answers.machine}


def _promised(today: Today | None, answers: Answers, last: Row, settings: Settings) -> Promised:
    promise = settings.loop.promise
    if today is None:
        why = "There is no trained model: it takes labels by people, of at least two kinds."
        return Promised(None, promise.confidence, NOTHING, [why])
    lines = [sentence(line) for line in in_words(today.machine, promise)]
    lead, most, of = NOTHING, last.promised, "of all labels"
    if today.machine.promise is None:
        lead = f"Nothing is promised: [loop.promise] rule is {promise.rule}."
    elif most is not None:
        more = ", those by people and by machine together, if people label what is still open"
        if promise.kind == "precision":
            most, of = today.machine.promise.bound, "of the machine's labels"
            more = ", whatever becomes of what is still open"
        sure = f"{100 * promise.confidence:g} %"
        lead = f"With {sure} confidence at most {share(most)} {of} are wrong{more}."
        lines.append(sentence(rests_on(today.machine.proving)))
    if settings.argilla.min_submitted == 1 and not today.stands(answers):
        lines.append(
            "The machine's answers in Argilla are not those of today's model: `weasel run finish` "
            "brings them up to date."
        )
    return Promised(most, promise.confidence, lead, lines, of)


def _counts(answers: Answers, machine: Mapping[str, object], pool: Pool) -> Counts:
    here = set(pool.ids)
    people = {answer.text_id for answer in answers.labelled}
    discarded = {a.text_id for a in answers.all if a.status == "discarded"} & here
    by_machine = machine.keys() & here - people
    waiting = {a.text_id for a in [*answers.waiting, *answers.tied]} & here
    return Counts(
        pool=len(pool),
        people=len(people & here),
        machine=len(by_machine),
        open=len(here - people - by_machine - discarded),
        waiting=len(waiting),
        discarded=len(discarded),
        given=len(people - here),
    )


def _labels(
    answers: Answers, machine: Mapping[str, tuple[str, ...]], learner: Learner
) -> list[LabelCount]:
    people = Counter(label for answer in answers.labelled for label in answer.labels)
    given = Counter(label for labels in machine.values() for label in labels)
    return [
        LabelCount(label, text if text != label else "", people[label], given[label])
        for label, text in learner.labels.items()
    ]


def _scores(found: Assessment, answers: Answers, learner: Learner, test: Test | None) -> Scores:
    names = list(learner.labels)
    if test:
        probs, gold = learner.predict(learner.embed(test[0])), learner.encode_labels(test[1])
    else:
        assert found.held_out is not None
        probs, gold = found.held_out, learner.targets(answers.labelled)
    return score(probs, gold, names, learner.label_threshold)


def _contradictions(found: Assessment, answers: Answers, learner: Learner) -> list[Pair]:
    assert found.held_out is not None
    by_machine = learner.predict(learner.embed([answer.text for answer in answers.machine]))
    probs = np.vstack([found.held_out, by_machine.reshape(-1, len(learner.labels))])
    return contradictions([*answers.labelled, *answers.machine], probs, learner)


def _map(
    probs: np.ndarray, answers: Answers, pool: Pool, learner: Learner, hidden: set[str]
) -> PoolMap | None:
    """Of several labels the most probable one gives the colour."""
    labels = decide(probs, learner.label_threshold)[0]
    names = [
        listed(learner.decode_labels(label) if label.ndim == 0 else _first(row, label, learner))
        for row, label in zip(probs, labels, strict=True)
    ]
    people = {answer.text_id for answer in answers.labelled}
    rows = [row for row, id_ in enumerate(pool.ids) if id_ not in hidden]
    return draw_map(
        learner.embed(pool.texts)[rows],
        [names[row] for row in rows],
        np.array([pool.ids[row] in people for row in rows], dtype=bool),
        [shortened(pool.texts[row], ON_MAP) for row in rows],
        learner.textcat.seed,
    )


def _first(probs: np.ndarray, chosen: np.ndarray, learner: Learner) -> tuple[str, ...]:
    names = list(learner.labels)
    return (names[int(np.where(chosen, probs, -1).argmax())],) if chosen.any() else ()
