"""What each step was worth, as a person reads it."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

from wasabi import table

from scripts.cli.console import msg
from scripts.loop.replay import Row

# Columns of the table, with their titles. Where a text has one label, micro F is the accuracy.
COUNTS = {
    "step": "Step",
    "people": "Labels",
    "discarded": "Discarded",
    "answered": "Machine",
    "promised": "Promised",
    "wrong": "Wrong",
}
SHARES = ("answered", "promised", "wrong")
ONE = {**COUNTS, "accuracy": "Accuracy", "macro_f": "Macro F"}
SEVERAL = {**COUNTS, "accuracy": "Exact", "micro_f": "Micro F", "macro_f": "Macro F"}
LEGEND = {
    "answered": "Machine: share of the texts without a label by people that the machine may answer",
    "promised": "Promised: share of all labels that is wrong at most, if people label the rest",
    "wrong": "Wrong: share of all labels that is wrong then, by gold labels",
    "accuracy": "Accuracy, Macro F: on the test set",
}
LEGEND_SEVERAL = {
    "accuracy": "Exact: share of the test texts whose labels are all right, and no other given"
}


def write_steps(rows: Sequence[Row], several: bool, path: Path) -> None:
    """All that is known of each step, as CSV. several: A text can have any number of labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        writer.writerow(
            "exact_match" if several and field.name == "accuracy" else field.name
            for field in fields(Row)
        )
        writer.writerows(astuple(row) for row in rows)


def columns(several: bool, gold: bool) -> dict[str, str]:
    """Columns of the table with their titles. several: A text can have any number of labels. gold:
    There are gold labels of the pool."""
    titles = SEVERAL if several else ONE
    return {name: title for name, title in titles.items() if gold or name != "wrong"}


def legend(several: bool, gold: bool) -> list[str]:
    """What the columns mean."""
    meanings = LEGEND | (LEGEND_SEVERAL if several else {})
    return [meaning for name, meaning in meanings.items() if name in columns(several, gold)]


def show_steps(rows: Sequence[Row], several: bool, gold: bool) -> None:
    """several, gold: As in columns."""
    titles = columns(several, gold)
    cells = [[cell(row, name) for name in titles] for row in rows]
    print(table(cells, header=titles.values(), divider=True, aligns=["r"] * len(titles)))
    for meaning in legend(several, gold):
        msg.text(f"- {meaning}")


def show_worth(brought: list[tuple[str, float]], total: int) -> None:
    """total: Texts of the test set."""
    print("\nWhat the labels brought, on the test set:")
    lines = [
        (what, f"{score:.3f}", f"{round(total * (1 - score))} of {total} wrong")
        for what, score in brought
    ]
    print(table(lines, aligns=["l", "r", "r"], max_col=80).strip("\n"))


def show_end(row: Row) -> None:
    """What the last state is worth as a data set."""
    if not row.answered or row.promised is None:
        return
    share = f"{row.answered:.0%}"
    print(f"\n{row.people} labels by people let the machine answer {share} of the other texts.")
    real = f"; really wrong: {row.wrong:.1%}" if row.wrong is not None else ""
    rest = ", if people label the rest" * (row.answered < 1)
    print(f"Promised: at most {row.promised:.1%} of all labels are wrong{rest}{real}.")


def cell(row: Row, name: str) -> str:
    """A row's value as the table has it."""
    value: float | None = getattr(row, name)
    if value is None:
        return "-"
    if name in SHARES:
        return f"{value:.0%}" if name == "answered" else f"{value:.1%}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
