"""What `prepare` reads, and what it says of it."""

import re
from collections.abc import Sequence
from typing import Any

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.corpus import SEVERAL, Row, check_labels
from scripts.data.labels import (
    check_names,
    one_spelling,
    read_label_spec,
    several_or_none,
    spelling_lines,
)
from scripts.data.prepared import Before, same_source
from scripts.data.rows import to_rows
from scripts.data.sources import load

# What may differ between two texts that are as good as the same.
SMALL = re.compile(r"https?://\S+|\d+|\s+")
# Share of the held-out texts from which on it can be seen in a score.
SEEN = 0.01


def read_rows(
    source: str, split: str, text_column: str, label_column: str, encoding: str
) -> list[Row]:
    """The rows, after saying which texts are none of them."""
    data = load(source, split, text_column, label_column, encoding)
    rows, dropped = to_rows(data, text_column, label_column)
    msg.info(
        f"Texts from {source}: {len(data)}, of which dropped: exact duplicates "
        f"{dropped.duplicate}, empty {dropped.empty}"
    )
    for lines, what in (
        (dropped.contradicting, "Duplicates with other labels than the text that was kept"),
        (dropped.unusable, "Texts left out, as they cannot be used"),
    ):
        if lines:
            more = [f"and {len(lines) - 5} more"] if len(lines) > 5 else []
            msg.warn(f"{what}: {len(lines)}", "\n".join([*lines[:5], *more]))
    if not rows:
        raise ProjectError("The pool is empty.", "The data has no text at all.")
    return rows


def name_labels(rows: Sequence[Row], spec: str, dataset: str) -> dict[str, str]:
    """The labels, each with what it means, after writing them alike in the rows.

    spec: As of read_label_spec.
    RAISES (ProjectError): The rows have a label that is not named, or no labels are known.
    """
    declared = read_label_spec(spec, dataset)
    if spellings := one_spelling(rows, declared):
        msg.warn(
            f"Labels that differ in case or spaces only are one: {spelling_lines(spellings)}",
            "To keep them apart, name them all: --vars.labels",
        )
    seen = sorted({label for row in rows for label in row["labels"] or []})
    if declared:
        check_labels(seen, declared)
    names = declared or {label: label for label in seen}
    check_names(names)
    return names


def tell_of_before(before: Before, again: bool, meta: dict[str, Any], gold: bool) -> None:
    """What stays of the data that was there, and what of it is in the way.

    again: Is it the same data? gold: Has it gold labels?
    """
    if again and gold and before.tested:
        msg.info(
            "Texts that were held out before stay so, and those of the pool stay in it "
            "(--vars.overwrite true draws anew; labels in Argilla stay there)"
        )
    if again and before.labelled_by_people:
        msg.info(f"{before.corpus / 'test.spacy'}, which people labelled, stays as it is")
    named_alike = before.meta.get("name") == meta["name"]
    if named_alike and not same_source(before.meta["dataset"], meta["dataset"]):
        msg.warn(
            f"{before.meta['dataset']}, which was here, is called '{meta['name']}' in Argilla "
            "too: its labels would count as labels of these data.",
            'Give these another name in configs/loop.cfg: [argilla] dataset = "..."',
        )


def twins(pool: Sequence[Row], test: Sequence[Row]) -> int:
    """How many texts of the test set the pool has too, but for case, spaces, digits and links."""

    def plain(row: Row) -> str:
        return SMALL.sub("", row["text"].casefold())

    there = {plain(row) for row in pool} - {""}
    return sum(plain(row) in there for row in test)


def tell_of_twins(pool: Sequence[Row], test: Sequence[Row]) -> None:
    """Of a share of the test set that can be seen in a score."""
    found = twins(pool, test)
    if test and found / len(test) >= SEEN:
        there = "has its like" if found == 1 else "have their like"
        msg.info(
            f"Of the {count(len(test), 'held-out text')} {found} {there} in the pool (all but "
            "case, spaces, digits and links is the same)",
            "A model that has learned such a text is tested on it, too, so scores come out a "
            "little too high.\nKeep one of each in the data if that is too many.",
        )


def tell_of_labels(names: Sequence[str], gold: Sequence[Row]) -> None:
    """gold: The rows that have labels."""
    msg.text(f"Labels: {', '.join(names)}")
    if unusual := several_or_none(gold):
        msg.warn(
            f"{unusual}. That is data with any number of labels a text.",
            f"It needs this in configs/loop.cfg: {SEVERAL}\n"
            "Else mend the data: a text that nobody has labelled has null or a blank, not [].",
        )
