"""What is kept of a data set in Argilla that is deleted, or whose labels change."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import srsly

from scripts.cli.errors import ProjectError
from scripts.loop.found import take_found
from scripts.records.answers import Answer, as_value, resolve
from scripts.records.client import Client
from scripts.records.dataset import BOT, LoopDataset
from scripts.records.schema import find
from scripts.records.settings import ArgillaSettings


def now() -> str:
    """For names, 20260131-235959-123: two changes may follow each other within a second."""
    return f"{datetime.now():%Y%m%d-%H%M%S-%f}"[:-3]


def everything(client: Client, settings: ArgillaSettings) -> tuple[LoopDataset, list[Answer]]:
    """The loop's data set, whatever labels it has, and all that was answered, in the pool's too.

    RAISES (ProjectError): There is no such data set.
    """
    _, found = find(client, settings)
    if found is None:
        raise ProjectError(
            f"There is no data set '{settings.dataset}' in Argilla.", "Nothing to delete."
        )
    dataset = LoopDataset(client, found.get(), settings)
    take_found(dataset)
    return dataset, dataset.answers()


def backup(
    answers: Sequence[Answer], multi_label: bool, folder: Path, name: str, stamp: str = ""
) -> tuple[Path, int]:
    """Write all that was answered to a new JSONL file that `seed` and `prepare` read.

    A text that waits, as it is asked again or of more people, has the label that was given so far.

    stamp: Ends the file's name; empty for the present time.
    RETURNS: The file, and how many of its texts have a label. Those that people discarded or
    disagree about have none, but who said what is there for all.
    """
    rows = []
    for answer in answers:
        if answer.votes:
            status, labels = resolve(answer.votes, BOT, 1, multi_label)
            label = as_value(labels, multi_label)
            rows.append(
                {
                    "text": answer.text,
                    "label": label if status == "labelled" else None,
                    "votes": {
                        vote.user: "discarded" if vote.discarded else list(vote.labels)
                        for vote in answer.votes
                    },
                }
            )
    # Argilla takes names that no file can have.
    safe = re.sub(r'[\\/:*?"<>|]', "-", name)
    path = folder / f"{safe}-labels-{stamp or now()}.jsonl"
    srsly.write_jsonl(path, rows)
    return path, sum(row["label"] is not None for row in rows)
