"""The dataset card of an export: what is promised of the labels, and how they came to be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from wasabi import MarkdownRenderer

from scripts.active_learning.plan import in_words
from scripts.cli.words import count, rests_on, sentence
from scripts.data.corpus import Row
from scripts.data.exported import as_list
from scripts.loop.export_rows import REST, TEST, Today
from scripts.loop.settings import Settings
from scripts.records.dataset import BOT

SPLIT = {
    "train": "labelled by people",
    "machine": "labelled by the machine, and by no person",
    TEST: "held out: no model of this project was trained on them",
    REST: "without a label: `status` says why",
}
SOURCE = {
    "seed": "typical texts, asked before there was a model; or examples that were given",
    "query": "drawn by a known chance, the likelier the less sure the model was",
    "audit": "drawn from those that the machine would answer, and asked without a suggestion",
    "auto": "answered by the machine",
    "review": "asked again",
    "found": "chosen by a person, who searched the pool",
}
STATUS = {
    "labelled": "people agree",
    "machine": "only the machine has answered",
    "discarded": "people found that it cannot be judged, or that no label fits",
    "tied": "people disagree evenly",
    "waiting": "asked, and not answered by enough people yet",
    "open": "never asked",
}
COLUMNS = {
    "id": "made from the text: the same text has the same id everywhere",
    "text": "as it was labelled",
    "label": "what counts; null where there is none",
    "status": "; ".join(f"`{status}`: {meaning}" for status, meaning in STATUS.items()),
    "by": "`people`, `machine`, `simulation` (from gold labels) or `gold` (came with the data)",
    "annotators": "who gave just this label (or discarded the text)",
    "answered_at": "when the last of them did, UTC",
    "agreed, votes": "how many people say just this, of how many who have dealt with the text",
    "responses": "each answer that counts: annotator, labels, status and time",
    "suggestion, model, score": "what people were shown, by which model (its number is the step), "
    "with which probability; null where they were shown nothing",
    "uncertainty": "of the model that asked, from 0 to 1",
    "machine": "what the machine has answered, unseen by people where they have answered too",
    "certainty": "of the newest model that its answer is right, where no person has labelled the "
    "text",
    "source": "; ".join(f"`{source}`: {meaning}" for source, meaning in SOURCE.items()),
    "round": "how often the text was asked",
    "iteration": "the step of the loop that asked it last",
    "chance, open, anywhere": "how it was drawn: by which chance, from how many open texts, and "
    "the share of that draw that could fall anywhere; null where it was not drawn",
}


@dataclass(frozen=True)
class Facts:
    """What a card says beside the rows. labels: label -> description. today: None before there is a
    trained model. stands: The machine's labels are those that are promised. alpha: Krippendorff's,
    NaN where no text has answers of two people. licence: As the hub names it; "" for none."""

    name: str
    labels: Mapping[str, str]
    today: Today | None
    stands: bool
    alpha: float
    licence: str


def promised(facts: Facts, settings: Settings) -> list[str]:
    """What `finish` promises of the labels, in sentences."""
    if facts.today is None:
        return ["There is no trained model yet, and no promise."]
    if not facts.stands:
        return [
            "There is no promise: the machine's answers are not those that it may give now, after "
            "what people have said. `weasel run finish` brings them up to date; then export again."
        ]
    first, *_ = in_words(facts.today.machine, settings.loop.promise)
    if facts.today.machine.promised is None:
        return ["Nothing is promised.", sentence(first)]
    return [sentence(first), sentence(rests_on(facts.today.machine.proving))]


def make_card(facts: Facts, splits: Mapping[str, Sequence[Row]], settings: Settings) -> str:
    """A README.md with the header that the hub reads."""
    from huggingface_hub import DatasetCard, DatasetCardData

    several = settings.argilla.multi_label
    rows = [row for split in splits.values() for row in split]
    header = DatasetCardData(
        pretty_name=facts.name,
        license=facts.licence or None,
        task_categories=["text-classification"],
        task_ids=[f"multi-{'label' if several else 'class'}-classification"],
        size_categories=[_size(len(rows))],
        tags=["active-learning", "argilla", "spacy"],
        configs=[
            {
                "config_name": "default",
                "data_files": [{"split": s, "path": f"data/{s}.parquet"} for s in splits],
            }
        ],
    )
    body = [
        f"# {facts.name}",
        f"Texts with {'any number of labels' if several else 'one label'} each. People labelled in "
        "Argilla what an active-learning loop asked; a model that learned from them answered what "
        "it may.",
        _table(
            ["split", "texts", "what they are"],
            [[f"`{split}`", len(rows_), SPLIT[split]] for split, rows_ in splits.items()],
        ),
        "## What is promised",
        *promised(facts, settings),
        "## Labels",
        _labels(facts, splits),
        "## How the texts were chosen",
        _table(["source", "texts", "what it is"], _sources(rows)),
        _drawn(splits),
        "## Agreement",
        _agreement([row for row in rows if row["source"] != TEST], facts.alpha),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(splits)),
        "## Loading",
        "```python\nfrom datasets import load_dataset, load_from_disk\n\n"
        'data = load_dataset("FOLDER OR NAME ON THE HUB")  # people\'s labels: data["train"]\n'
        'data = load_from_disk("FOLDER/arrow")  # the same, without a copy in the cache\n```',
        "## Columns",
        _table(["column", "what it says"], [[f"`{n}`", text] for n, text in COLUMNS.items()]),
    ]
    return str(DatasetCard(f"---\n{header.to_yaml()}\n---\n\n" + "\n\n".join(body) + "\n"))


def _labels(facts: Facts, splits: Mapping[str, Sequence[Row]]) -> str:
    counts = {
        split: Counter(label for row in rows for label in as_list(row["label"]))
        for split, rows in splits.items()
        if split != REST
    }
    lines = [
        [label, text if text != label else "", *(n[label] for n in counts.values())]
        for label, text in facts.labels.items()
    ]
    return _table(["label", "description", *(f"`{split}`" for split in counts)], lines)


def _sources(rows: Sequence[Row]) -> list[list[object]]:
    counts = Counter(row["source"] for row in rows if row["source"] not in (None, TEST))
    return [[f"`{name}`", n, SOURCE.get(name, "")] for name, n in counts.most_common()]


def _drawn(splits: Mapping[str, Sequence[Row]]) -> str:
    train = splits["train"]
    drawn = sum(row["chance"] is not None for row in train)
    return (
        f"Of the {count(len(train), 'text')} that people labelled, {drawn} were drawn by a chance "
        "that is kept with them; the others were chosen, given or found, and prove nothing of the "
        "rest."
    )


def _agreement(rows: Sequence[Row], alpha: float) -> str:
    asked = [row for row in rows if row["votes"] > 1]
    people = {one["annotator"] for row in rows for one in row["responses"]} - {BOT}
    said = f"Answers by {count(len(people), 'annotator')}."
    if not asked:
        return f"{said} No text has answers of two, so their agreement is not known."
    same = sum(row["agreed"] == row["votes"] for row in asked)
    known = f"; Krippendorff's alpha is {alpha:.2f}" if not np.isnan(alpha) else ""
    return (
        f"{said} All say the same of {same} of {count(len(asked), 'text')} with two or more{known}."
    )


def _limits(splits: Mapping[str, Sequence[Row]]) -> list[str]:
    limits = [
        "Texts labelled by people are no random sample: most were drawn where the model was "
        "unsure. Shares of labels among them are not those of all texts; weigh by `chance`, or go "
        "by a test set.",
        "Annotators saw the model's suggestion before they answered, where `suggestion` has one.",
    ]
    if "machine" in splits:
        limits.append("The machine's labels are those of a model, with its blind spots.")
    if any(row["by"] == "simulation" for rows in splits.values() for row in rows):
        limits.append("`simulation`: these answers came from gold labels, not from people.")
    return limits


def _table(header: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [[_cell(cell) for cell in row] for row in lines]
    return str(MarkdownRenderer().table(rows, header)).strip()


def _cell(value: object) -> str:
    """In one line, without ending the cell, and nothing in it taken for HTML."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def _size(n: int) -> str:
    """As the hub has it."""
    steps = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for most, name in steps.items() if n < most), "1M<n<10M")
