"""One step of the active-learning loop: pull answers, train, score the pool, ask the next batch."""

from dataclasses import dataclass

import numpy as np

from scripts.active_learning.draw import Drawn
from scripts.active_learning.plan import Machine, Plan, in_words, plan_step
from scripts.active_learning.query import typiclust
from scripts.active_learning.scores import uncertainty
from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.data.corpus import Pool
from scripts.loop.assess import Assessment, assess
from scripts.loop.due import due
from scripts.loop.found import take_found
from scripts.loop.learner import Learner
from scripts.loop.lease import lease
from scripts.loop.machine import TEAM, machine_labels, settle
from scripts.loop.progress import agreement, progress
from scripts.loop.refresh import agent, refresh
from scripts.loop.settings import Settings
from scripts.records.answers import Answers, Chance
from scripts.records.convert import Record, doc_to_record
from scripts.records.dataset import MOST, LoopDataset

# Answers that the machine gives in one step: Argilla takes about 100 a second, and people wait.
GIVE_MOST = 100


@dataclass(frozen=True)
class StepResult:
    """What a step did. why: Why it changed nothing. finished: Another step would change nothing
    either, whatever people answer. people: Answers by people so far. waiting: Records that wait for
    one now. due: Answers after which another step is worth it. validated, withdrawn: Answers by
    machine, given and taken back. chosen: How the texts were chosen. notes: What else there is to
    say. machine: What the machine may answer."""

    iteration: int
    asked: int = 0
    validated: int = 0
    withdrawn: int = 0
    trained_on: int = 0
    why: str = ""
    finished: bool = False
    chosen: str = ""
    notes: tuple[str, ...] = ()
    people: int = 0
    waiting: int = 0
    due: int = 1
    machine: Machine | None = None


def step(
    dataset: LoopDataset, learner: Learner, pool: Pool, settings: Settings, now: bool = False
) -> StepResult:
    """Fill the queue of texts that people are asked, if a batch of answers has come since the last
    step, and bring the suggestions of those that wait up to date.

    All that a step decides follows from what people answered and from the settings, and its
    questions go into one request, the last one. So a step that was interrupted can be run again
    anywhere: it ends as if it had not been.

    now: Do not wait for the answers that are missing.
    """
    with lease(settings.paths.corpus, "step"):
        return _step(dataset, learner, pool, settings, now)


def _step(
    dataset: LoopDataset, learner: Learner, pool: Pool, settings: Settings, now: bool
) -> StepResult:
    dataset.take_late()
    found_there = take_found(dataset)
    answers = Answers(dataset.answers())
    iteration, loop = answers.next_iteration, settings.loop
    people, waiting = answers.by_people, len(answers.waiting)
    turn = due(answers, pool, loop, now, found_there)
    if turn.why:
        return StepResult(
            iteration,
            why=turn.why,
            finished=turn.finished,
            people=people,
            waiting=waiting,
            due=turn.after,
        )
    # First, as somebody may see them next; the rest takes longer.
    refresh(dataset, learner, answers, loop)
    found = assess(answers, learner, pool, loop)
    cold = found.held_out is None
    rng = np.random.default_rng([loop.seed, iteration])
    plan = plan_step(found.state, loop.plan(turn.size), rng, found.draws)
    settled = settle(
        dataset, learner, pool, answers, found, plan.machine, asked=plan.drawn.rows, most=GIVE_MOST
    )
    records = [dataset.again(answer, iteration) for answer in answers.again]
    records += questions(plan, found, answers, dataset, learner, pool)
    dataset.push(records[:MOST])
    say = [f"{count(found_there, 'answer')} from the data set of the pool"] if found_there else []
    if not cold:
        say += in_words(plan.machine, loop.promise)
        rules, gain = progress(answers, found, plan.machine, learner, pool, settings)
        stop = ", ".join(rule.name for rule in rules if rule.holds) or "none"
        say += [rule.reason for rule in rules if rule.reason]
        say += [str(gain), f"rules that say stop: {stop}"]
    if not np.isnan(alpha := agreement(answers, learner)):
        say.append(f"agreement of people (Krippendorff's alpha): {alpha:.2f}")
    if settled.left:
        say.append(f"{count(settled.left, 'more answer')} by machine at the next steps")
    if dataset.settings.min_submitted > 1 and len(plan.machine.rows):
        say.append(TEAM)
    return StepResult(
        iteration,
        asked=len(plan.drawn.rows) + len(answers.again),
        validated=settled.given,
        withdrawn=settled.withdrawn,
        trained_on=found.trained_on,
        chosen=_chosen(plan.drawn, cold, settings),
        notes=tuple(say),
        people=people,
        waiting=waiting + len(records),
        due=loop.at_once or waiting + len(records),
        machine=plan.machine,
    )


def _chosen(drawn: Drawn, cold: bool, settings: Settings) -> str:
    if not cold:
        proving = int(np.isfinite(drawn.chance).sum())
        return "" if proving == len(drawn.rows) else f"{proving} of them drawn by chance"
    if settings.loop.cold_start is typiclust:
        return "typical of the pool and unlike each other, as no model is trained yet"
    return "by the cold start's strategy, as no model is trained yet"


def questions(
    plan: Plan,
    found: Assessment,
    answers: Answers,
    dataset: LoopDataset,
    learner: Learner,
    pool: Pool,
) -> list[Record]:
    """The records that people are asked. Those that the machine answers come without a suggestion,
    so that people check it unswayed; what it says is kept as a draft."""
    state, names = found.state, list(learner.labels)
    iteration = answers.next_iteration
    doubt = uncertainty(state.probs, state.multi_label)
    said = {answer.text_id: answer.labels for answer in answers.machine}
    said |= machine_labels(found, plan.machine, learner)
    # Zero-shot suggestions come from the label descriptions alone.
    trained = found.held_out is not None
    records: list[tuple[float, Record]] = []
    for row, *chance in zip(*plan.drawn, strict=True):
        doc = learner.nlp.make_doc(pool.texts[found.rows[row]])
        doc.cats = dict(zip(names, state.probs[row].tolist(), strict=True))
        bot = said.get(found.ids[row])
        # "None of the labels" is no suggestion before a person has shown what the labels mean.
        some = state.label_threshold is None or (state.probs[row] >= state.label_threshold).any()
        source = "audit" if bot is not None else "query" if trained else "seed"
        record = doc_to_record(
            doc,
            iteration=iteration,
            source=source,
            agent=agent(iteration, trained) if bot is None and (trained or some) else None,
            uncertainty=doubt[row],
            vector=state.embeddings[row],
            label_threshold=state.label_threshold,
            drawn=Chance(*(c.item() for c in chance)) if np.isfinite(chance[0]) else None,
        )
        if bot is not None:
            dataset.machine_response(record, bot, submitted=False)
        records.append((doubt[row], record))
    # On the page the first of a batch are those that teach most.
    return [record for _, record in sorted(records, key=lambda pair: -pair[0])]


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
    if result.finished:
        print("Next: `weasel run finish`, in which the machine answers what it may")
