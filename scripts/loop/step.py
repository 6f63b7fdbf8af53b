"""One step of the active-learning loop: pull answers, train, score the pool, ask the next batch."""

from dataclasses import dataclass

import numpy as np

from scripts.active_learning.autovalidation import Evidence, MachineLabels
from scripts.active_learning.plan import Plan, plan_step
from scripts.active_learning.query import QueryState, typiclust, uncertainty
from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.data.corpus import Pool
from scripts.loop.learner import Learner
from scripts.loop.progress import agreement, audit_precision, progress, trainable
from scripts.loop.settings import Settings
from scripts.records.answers import Answers
from scripts.records.convert import Record, doc_to_record
from scripts.records.dataset import MOST, LoopDataset

# A text on which people still disagree evenly after so many rounds is left out of training.
MOST_ROUNDS = 3


@dataclass(frozen=True)
class StepResult:
    """What a step did. All counts are 0 where it changed nothing; why says why. finished: another
    step would change nothing either, whatever people answer. chosen: How the texts were chosen.
    notes: What else there is to say."""

    iteration: int
    asked: int = 0
    validated: int = 0
    withdrawn: int = 0
    trained_on: int = 0
    why: str = ""
    finished: bool = False
    chosen: str = ""
    notes: tuple[str, ...] = ()


def step(
    dataset: LoopDataset, learner: Learner, pool: Pool, settings: Settings, now: bool = False
) -> StepResult:
    """Ask people the next batch, if all of the last one is answered.

    All that a step decides follows from what Argilla holds and from the settings, and all that it
    writes goes into one request. So a step that was interrupted has either happened or not, and
    can be run again anywhere.

    now: Do not wait for the answers that are missing.
    """
    answers = Answers(dataset.answers())
    iteration = answers.next_iteration
    loop = settings.loop
    if answers.waiting and not now:
        batch = [a for a in answers.all if a.iteration == iteration - 1 and a.source != "auto"]
        asked = max(len(batch), len(answers.waiting))
        return StepResult(
            iteration,
            why=f"{len(answers.waiting)} of {count(asked, 'record')} of the last batch wait for an "
            "answer; nothing was changed",
        )
    left = loop.budget - answers.by_people if loop.budget else loop.batch_size + loop.seed_size
    if left <= 0:
        return StepResult(
            iteration, why=f"the budget of {count(loop.budget, 'answer')} is spent", finished=True
        )

    known = {answer.text_id for answer in answers.all}
    rows = np.array([i for i, id_ in enumerate(pool.ids) if id_ not in known], dtype=np.intp)
    if not len(rows):
        return StepResult(iteration, why="every text of the pool has been asked", finished=True)

    state, evidence, machine, trained_on = assess(answers, learner, pool, rows, settings)
    cold = not len(state.labelled_embeddings)
    size = min(left, loop.seed_size if cold else loop.batch_size)
    rng = np.random.default_rng([loop.seed, iteration])
    plan = plan_step(state, loop.plan(size), rng, evidence, machine, list(learner.labels))
    again = [a for a in answers.tied if a.round < MOST_ROUNDS]
    records = [dataset.again(answer, iteration) for answer in again]
    records += plan_to_records(plan, state, rows, answers, dataset, learner, pool, iteration)
    # Withdrawals stand last: those that do not fit are as doubtful at the next step.
    dataset.push(records[:MOST])
    say = list(plan.reasons)
    if evidence is not None:
        embeddings = learner.embed(pool.texts)
        rules, gain = progress(answers, evidence.probs, learner, embeddings, len(rows), settings)
        stop = ", ".join(rule.name for rule in rules if rule.holds) or "none"
        say += [rule.reason for rule in rules]
        say += [str(gain), f"rules that say stop: {stop}"]
    if not np.isnan(alpha := agreement(answers, learner)):
        say.append(f"agreement of people (Krippendorff's alpha): {alpha:.2f}")
    if machine is not None:
        say.append(f"precision of the machine's answers, by audit: {machine.precision}")
    return StepResult(
        iteration,
        asked=len(plan.query) + len(plan.audit) + len(again),
        validated=len(plan.auto) - len(plan.audit),
        withdrawn=len(plan.withdraw),
        trained_on=trained_on,
        chosen=_chosen(plan, cold, settings),
        notes=tuple(say),
    )


def _chosen(plan: Plan, cold: bool, settings: Settings) -> str:
    if not cold:
        parts = {"drawn at random": plan.sample, "to check the machine's answers": plan.audit}
        return ", ".join(f"{len(rows)} {what}" for what, rows in parts.items() if len(rows))
    if settings.loop.cold_start is typiclust:
        return "typical of the pool and unlike each other, as no model is trained yet"
    return "by the cold start's strategy, as no model is trained yet"


def assess(
    answers: Answers, learner: Learner, pool: Pool, rows: np.ndarray, settings: Settings
) -> tuple[QueryState, Evidence | None, MachineLabels | None, int]:
    """Train on the answers and look at the pool with the model.

    rows: (n,) rows of the pool that can be asked.
    RETURNS: What plan_step needs, and the number of texts trained on.
    """
    embeddings = learner.embed(pool.texts)
    extra = answers.machine if settings.loop.use_machine_labels else []
    train = answers.labelled
    evidence = None
    if not trainable(train):  # go on with the cold start
        train, extra = [], []
    else:
        evidence = Evidence(
            learner.cross_validate(train, extra, seed=settings.loop.seed),
            learner.targets(train),
            np.array([answer.source == "audit" for answer in train]),
        )
    learner.train([*train, *extra])
    labelled = learner.embed([answer.text for answer in train])
    state = QueryState(
        probs=learner.predict(embeddings[rows]),
        embeddings=embeddings[rows],
        labelled_embeddings=labelled,
        labelled_probs=learner.predict(labelled),
        label_threshold=learner.label_threshold,
    )
    machine = None
    if answers.machine:
        machine = MachineLabels(
            learner.predict(learner.embed([answer.text for answer in answers.machine])),
            learner.encode_labels([answer.labels for answer in answers.machine]),
            audit_precision(answers, learner),
        )
    return state, evidence, machine, len(train) + len(extra)


def plan_to_records(
    plan: Plan,
    state: QueryState,
    rows: np.ndarray,
    answers: Answers,
    dataset: LoopDataset,
    learner: Learner,
    pool: Pool,
    iteration: int,
) -> list[Record]:
    """All that a step writes: at most as many records as one request takes."""
    names = list(learner.labels)
    doubt = uncertainty(state.probs, state.multi_label)
    # Zero-shot suggestions come from the label descriptions alone.
    kind = "trained" if len(state.labelled_embeddings) else "zero-shot"
    agent = f"classy_textcat-{kind}-{iteration:03d}"

    def record(row: int, source: str, suggest: bool = True) -> Record:
        # "None of the labels" is no suggestion before a person has shown what the labels mean.
        some = state.label_threshold is None or (state.probs[row] >= state.label_threshold).any()
        suggest &= kind == "trained" or bool(some)
        doc = learner.nlp.make_doc(pool.texts[rows[row]])
        doc.cats = dict(zip(names, state.probs[row].tolist(), strict=True))
        return doc_to_record(
            doc,
            iteration=iteration,
            source=source,
            agent=agent if suggest else None,
            uncertainty=doubt[row],
            vector=state.embeddings[row],
            label_threshold=state.label_threshold,
        )

    records = [record(row, _query_source(row, plan, kind)) for row in plan.query]
    audit = set(plan.audit.tolist())
    for row, label in zip(plan.auto, plan.auto_labels, strict=True):
        chosen = [names[label]] if label.ndim == 0 else [names[i] for i in np.flatnonzero(label)]
        if row in audit:
            # Without a suggestion, so that the check is not swayed by what it checks.
            blind = record(row, "audit", suggest=False)
            records.append(dataset.machine_response(blind, chosen, submitted=False))
        else:
            records.append(dataset.machine_response(record(row, "auto"), chosen))
    withdrawn = [dataset.withdrawn(answers.machine[i]) for i in plan.withdraw]
    return records + withdrawn


def _query_source(row: int, plan: Plan, kind: str) -> str:
    if kind == "zero-shot":
        return "seed"
    return "sample" if row in plan.sample else "query"


def show(result: StepResult, url: str = "") -> None:
    """Say what a step asks and where to answer, or why it did nothing; then the details.

    url: Where to label; empty where nobody has to be told.
    """
    if result.why:
        msg.info(result.why[0].upper() + result.why[1:])
    else:
        chosen = f" ({result.chosen})" if result.chosen and result.asked else ""
        msg.good(f"Step {result.iteration}: {count(result.asked, 'text')} to label{chosen}")
    if url and not result.finished and (result.why or result.asked):
        print(f"Label at {url}\nthen run `weasel run step` again.", flush=True)
    did = [f"trained on {count(result.trained_on, 'answer')}"] if result.trained_on else []
    if result.validated:
        did.append(f"{count(result.validated, 'text')} answered by machine")
    if result.withdrawn:
        did.append(f"{count(result.withdrawn, 'machine answer')} withdrawn")
    for line in [", ".join(did), *result.notes]:
        if line:
            msg.text(f"- {line}")
