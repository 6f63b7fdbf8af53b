"""What each step of the loop was worth, replayed from the labels that Argilla holds."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import spacy
import typer
from sklearn.metrics import accuracy_score, f1_score
from spacy.tokens import DocBin
from tqdm import tqdm
from wasabi import msg, table

from scripts.active_learning.decisions import decide
from scripts.errors import ProjectError, run
from scripts.learner import Learner
from scripts.records.answers import Answer
from scripts.session import open_loop
from scripts.settings import load_settings

ALIGNS: list[Literal["r", "c", "l"]] = ["r"] * 6


@dataclass(frozen=True)
class Row:
    """State after a step's batch was answered. Scores are None where they cannot be measured."""

    step: int
    people: int
    discarded: int
    machine: int
    accuracy: float | None
    macro_f: float | None


def read_test(path: Path) -> tuple[list[str], list[list[str]]]:
    docs = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    return (
        [doc.text for doc in docs],
        [[label for label, value in doc.cats.items() if value >= 0.5] for doc in docs],
    )


def replay(
    answers: Sequence[Answer],
    learner: Learner,
    test: tuple[list[str], list[list[str]]] | None,
    use_machine_labels: bool,
) -> list[Row]:
    """Train on the labels up to each step and score the model on the test set.

    test: Texts and their gold labels, or None.
    """
    rows = []
    if test:
        test_embeddings, gold = learner.embed(test[0]), learner.encode_labels(test[1])
    steps = sorted({answer.iteration for answer in answers})
    for iteration in tqdm(steps, "Replaying", disable=len(steps) < 5):
        so_far = [a for a in answers if a.iteration <= iteration]
        labelled = [a for a in so_far if a.status == "labelled"]
        machine = [a for a in so_far if a.status == "machine"]
        scores: list[float | None] = [None, None]
        if test and labelled:
            learner.train(labelled + (machine if use_machine_labels else []))
            predicted, _ = decide(learner.predict(test_embeddings), learner.multi_label)
            scores = [
                float(accuracy_score(gold, predicted)),
                float(f1_score(gold, predicted, average="macro", zero_division=0)),
            ]
        discarded = sum(a.status == "discarded" for a in so_far)
        rows.append(Row(iteration, len(labelled), discarded, len(machine), *scores))
    return rows


def main(
    ctx: typer.Context,
    output: Annotated[Path, typer.Argument(help="CSV file to write", dir_okay=False)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Print and write a table of the steps: labels by people and by machine, test scores."""
    settings = load_settings(config, ctx.args)
    test_path = settings.paths.corpus / "test.spacy"
    test = read_test(test_path) if test_path.exists() else None
    with open_loop(settings) as (dataset, learner, _):
        answers = dataset.answers()
        rows = replay(answers, learner, test, settings.loop.use_machine_labels)
    if not rows:
        raise ProjectError("There is nothing to report yet.", "Run a step: weasel run step")
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("w", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    header = ("Step", "Labels by people", "Discarded", "Auto-validated", "Test accuracy", "Macro F")
    cells = [
        [row.step, row.people, row.discarded, row.machine]
        + ["-" if score is None else f"{score:.3f}" for score in (row.accuracy, row.macro_f)]
        for row in rows
    ]
    print(table(cells, header=header, divider=True, aligns=ALIGNS))
    users = sorted({vote.user for answer in answers for vote in answer.votes})
    msg.text(f"Answers by: {', '.join(users)}")
    if test is None:
        msg.info(f"No test scores: there is no {test_path}")
    msg.good(f"Written to {output}")


if __name__ == "__main__":
    run(main)
