"""What the page asks annotators, and what it tells them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal

import argilla as rg

from scripts.cli.errors import ProjectError
from scripts.records.convert import NONE, QUESTION

NOTE = "note"
KEYS = 9  # choices that have a number key of one digit
MOST_CHARACTERS = 10_000  # of guidelines: Argilla refuses a data set with more
MOST_OF_LABELS = 7_500  # of these; the keys, and what the data set is for, need room too

# What each data set is for, above what its page says of the labels and keys.
ASKED = (
    "**These texts are asked.** They were drawn so that their labels teach the model and prove "
    "what it is worth. To look for texts yourself, open the data set of the whole pool, whose name "
    "ends in -pool, if there is one (`weasel run browse`)."
)
POOL = (
    "**This is the whole pool, to search in.** Search for words, filter and sort by what the model "
    "says (metadata), look for similar texts. What you label here teaches the model at the next "
    "step, and proves nothing, as you chose it. Nobody needs to label all of it: the texts that "
    "the loop asks are in the data set without -pool in its name."
)


def question_labels(labels: Iterable[str], multi_label: bool) -> list[str]:
    """What the page offers: the labels and, where a text may have several, "none of these"."""
    names = list(labels)
    if multi_label and NONE in names:
        raise ProjectError(
            f"A label cannot be called '{NONE}' where a text may have several labels.",
            "The page offers this choice by itself. Leave the label out.",
        )
    return [*names, NONE] if multi_label else names


def labels_order(names: Sequence[str]) -> Literal["natural", "suggestion"]:
    """How Argilla's page lists the choices where a text may have several labels.

    With many, those that the model suggests come first. With few, each keeps its place and with it
    its number key. Where a text has one label, Argilla has no such setting.
    """
    return "suggestion" if len(names) > KEYS else "natural"


def questions(names: list[str], multi_label: bool) -> list[rg.LabelQuestion | rg.TextQuestion]:
    """The question and, for a single label, an optional note that makes its keys safe.

    Where the only question asks for one label, Argilla's page submits as soon as a number is
    pressed; the Enter that people press next then submits the record after it, unread. With a
    second question a number only chooses. It costs a key where the suggestion is wrong.
    """
    if multi_label:  # there a number never submits
        order = labels_order(names)
        return [
            rg.MultiLabelQuestion(name=QUESTION, title="Labels", labels=names, labels_order=order)
        ]
    return [
        rg.LabelQuestion(name=QUESTION, title="Label", labels=names),
        rg.TextQuestion(
            name=NOTE,
            title="Note",
            description="For yourselves: nothing is trained on it.",
            required=False,
        ),
    ]


def default_guidelines(labels: dict[str, str], multi_label: bool, suggests: bool = True) -> str:
    """What the page says to annotators: the labels, and what its keys do.

    suggests: Whether texts come with what the model thinks of them.
    """
    if multi_label:
        task = "Choose every label that fits the text."
        keys = [
            "- A **number** switches its label on or off."
            + " What the model suggests is on already." * suggests,
            "- **Enter** submits what is on, and shows the next text.",
            f"- No label fits? That is an answer too: switch all others off and choose **{NONE}**. "
            "(Together with a label it says nothing, and the text is asked again.)",
            "- **Backspace** discards a text that cannot be judged: it is not asked again and "
            "never trained on.",
        ]
    else:
        task = "Choose the label that fits the text."
        keys = [
            *["- Where the suggestion is right: **Enter** submits it, and shows the next text."]
            * suggests,
            ("- Where it is wrong, or there is none: the" if suggests else "- The")
            + " **number** of the right label, then **Enter**.",
            "- Wrong number? **Arrow up**, then the right number, or click the right label: after "
            "a choice the note has the keys.",
            "- The number of a label that is on switches it off. Then Enter does nothing.",
            "- **Backspace** discards a text that fits no label: it is not asked again and never "
            "trained on.",
        ]
    if len(question_labels(labels, multi_label)) > KEYS:
        keys.append(
            "- With ten choices or more, a 1 waits a moment for a second digit: press Enter when "
            "you see the label on."
        )
    about = (
        " The suggestion is the model's, with its score: correct it where it is wrong. "
        "Scores are shown with one decimal: 1.0 may be 0.96."
    )
    return "\n".join(
        [
            task + about * suggests,
            "",
            label_lines(labels),
            "",
            "Keys:",
            "",
            *keys,
        ]
    )


def label_lines(labels: dict[str, str]) -> str:
    """The labels, each with its description: shorter ones where there is no room for all of them,
    and the first names alone where there is none for all names. The page itself offers all."""
    share = MOST_OF_LABELS // max(len(labels), 1)
    for short in (False, True):
        lines = []
        for name, text in labels.items():
            room = share - len(f"- **{name}**: ...\n")
            cut = f"{text[: max(room, 0)]}..." if short and len(text) > room else text
            lines.append(f"- **{name}**" + (f": {cut}" if cut not in ("", "...", name) else ""))
        if len("\n".join(lines)) <= MOST_OF_LABELS:
            return "\n".join(lines)
    ends = list(accumulate(len(line) + 1 for line in lines))
    fit = bisect_right(ends, MOST_OF_LABELS - 20)
    return "\n".join([*lines[:fit], f"- ... and {len(lines) - fit} more"])


def rewrite_guidelines(
    there: str, old: dict[str, str], new: dict[str, str], multi_label: bool
) -> str:
    """Guidelines with the new labels in place of the old ones, where this project wrote them."""
    pairs = [
        (default_guidelines(old, multi_label, how), default_guidelines(new, multi_label, how))
        for how in (True, False)
    ]
    for before, after in [*pairs, (label_lines(old), label_lines(new))]:
        if before in there:
            return there.replace(before, after)[:MOST_CHARACTERS]
    return there
