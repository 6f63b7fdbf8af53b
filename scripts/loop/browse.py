"""The whole pool in Argilla, with what the model thinks of it and what the loop has of it."""

from collections.abc import Sequence
from typing import NamedTuple

from tqdm import tqdm

from scripts.active_learning.decisions import decide
from scripts.active_learning.scores import uncertainty
from scripts.data.corpus import Pool
from scripts.loop.assess import train_on_all
from scripts.loop.found import take_found
from scripts.loop.learner import Learner
from scripts.loop.refresh import agent
from scripts.loop.settings import Settings
from scripts.records.answers import Answers
from scripts.records.dataset import LoopDataset
from scripts.records.pool_dataset import Entry, PoolDataset, State

# Records in one request: the server takes about a second for so many, after which the bar moves.
BATCH = 100
STATE: dict[str, State] = {
    "labelled": "people",
    "machine": "machine",
    "discarded": "discarded",
    "tied": "waiting",  # asked again at the next step
    "waiting": "waiting",
}


class Browsed(NamedTuple):
    """there: Texts that the data set had before. logged: Those that are new. updated: Those that
    the model or the loop says something else about now."""

    name: str
    url: str
    there: int
    logged: int
    updated: int


def browse(
    dataset: LoopDataset,
    learner: Learner,
    pool: Pool,
    settings: Settings,
    first: int = 0,
    refresh: bool = False,
) -> Browsed:
    """Put the texts of the pool that are not there yet into its own data set. What was logged
    before a run was cut short is not logged again.

    first: Only so many texts, the first of the file; 0 for all.
    refresh: Bring suggestions, scores and states of all that is there up to date. Only what has
        changed so that a person would see it is written, and never anybody's response.
    """
    take_found(dataset)
    texts = Pool(pool.ids[:first], pool.texts[:first]) if first else pool
    shown = PoolDataset.open(dataset, learner.labels, learner.dim, learner.label_threshold)
    there = shown.there()
    logged = [row for row, id_ in enumerate(texts.ids) if id_ not in there]
    # All that is there, also of an earlier run with more texts.
    kept = [row for row, id_ in enumerate(pool.ids) if id_ in there] if refresh else []
    entries = look(Answers(dataset.answers()), learner, pool, settings, [*logged, *kept])
    new, old = entries[: len(logged)], entries[len(logged) :]
    changed = [entry for entry in old if shown.changed(entry, there[entry.id])]
    shown.hide([entry.id for entry in changed if entry.blind])
    for some, what in ((new, "Logging"), (changed, "Refreshing")):
        # Where it was cut short: the bar goes on, too.
        done = len(texts) - len(new) if some is new else 0
        with tqdm(
            total=done + len(some), initial=done, desc=what, unit="text", disable=not some or None
        ) as bar:
            for start in range(0, len(some), BATCH):
                shown.log(some[start : start + BATCH])
                bar.update(len(some[start : start + BATCH]))
    return Browsed(shown.name, shown.url, len(there), len(new), len(changed))


def look(
    answers: Answers, learner: Learner, pool: Pool, settings: Settings, rows: Sequence[int]
) -> list[Entry]:
    """These rows of the pool as today's model and the loop's data set see them; before there is a
    model that has learned from people, as the names of the labels alone say."""
    trained = train_on_all(learner, answers, settings.loop)
    name = agent(answers.next_iteration, trained)
    embeddings = learner.embed(pool.texts)[list(rows)]
    probs = learner.predict(embeddings)
    decided, certainty = decide(probs, learner.label_threshold)
    doubt = uncertainty(probs, learner.multi_label)
    names, said = list(learner.labels), {answer.text_id: answer for answer in answers.all}
    entries = []
    for i, row in enumerate(rows):
        answer = said.get(pool.ids[row])
        labels = learner.decode_labels(decided[i])
        entries.append(
            Entry(
                id=pool.ids[row],
                text=pool.texts[row],
                vector=embeddings[i],
                cats=dict(zip(names, probs[i].tolist(), strict=True)),
                labels=labels,
                score=float(certainty[i]),
                uncertainty=float(doubt[i]),
                # As in the loop: "none of the labels" is no suggestion before people have shown
                # what the labels mean.
                agent=name if trained or labels else None,
                state=STATE[answer.status] if answer else "open",
                people=answer.labels if answer and answer.status == "labelled" else None,
                blind=answer is not None and answer.blind,
            )
        )
    return entries
