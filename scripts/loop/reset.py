"""What is kept of a data set in Argilla that is deleted."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import srsly

from scripts.records.answers import Answer


def backup(
    answers: Sequence[Answer], multi_label: bool, folder: Path, name: str
) -> tuple[Path, int]:
    """Write all that was answered to a new JSONL file that `seed` and `prepare` read.

    RETURNS: The file, and how many of its texts have a label. Those that people discarded or
    disagree about have none, but who said what is there for all.
    """
    rows = []
    for answer in answers:
        if answer.votes:
            label = list(answer.labels) if multi_label else next(iter(answer.labels), None)
            rows.append(
                {
                    "text": answer.text,
                    "label": label if answer.status == "labelled" else None,
                    "votes": {
                        vote.user: "discarded" if vote.discarded else list(vote.labels)
                        for vote in answer.votes
                    },
                }
            )
    path = folder / f"{name}-labels-{datetime.now():%Y%m%d-%H%M%S}.jsonl"
    srsly.write_jsonl(path, rows)
    return path, sum(row["label"] is not None for row in rows)
