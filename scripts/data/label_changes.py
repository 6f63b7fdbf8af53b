"""A change of the labels while people label: what becomes of each label, and of the files."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scripts.cli.errors import ProjectError
from scripts.data.labels import MOST_LABELS, check_names

HOW = """add "Science" [more] [--description "research, space"]
rename "Sci" "Science"
merge "Tech" "Science" --into "Science"
retire "Other"
split "Science" "Physics" "Biology"
"""


@dataclass(frozen=True)
class Change:
    """said: The change in words, for people. old, new: label -> description.

    became: Label -> what it is called now; None where what people said is asked again. Labels that
        are not in it stay as they are.
    whole: Whether a text is asked again as soon as one of its labels is; else only if it has no
        other. (Where a text has one label, there is no difference.)
    """

    said: str
    old: dict[str, str]
    new: dict[str, str]
    became: dict[str, str | None] = field(default_factory=dict)
    whole: bool = False

    def __call__(self, labels: Sequence[str]) -> list[str] | None:
        """What the labels of a text are now; None if it is to be asked again."""
        now = [self.became.get(label, label) for label in labels]
        kept = list(dict.fromkeys(label for label in now if label is not None))
        gone = None in now
        return None if gone and (self.whole or not kept) else kept


# A change, and the labels that may be described anew.
Made = tuple[Change, list[str]]


def plan(
    labels: dict[str, str],
    words: Sequence[str],
    multi_label: bool,
    descriptions: Sequence[str] = (),
    into: str = "",
    reserved: str = "",
) -> Change:
    """The change that words ask for: ["rename", "Sci", "Science"].

    labels: label -> description. into: Of a merge.
    descriptions: Of new labels, in their order. reserved: No label can have this name.
    RAISES (ProjectError): It cannot be made; why, and what can.
    """
    what, *names = [word.strip() for word in words]
    into = into.strip()
    if into and what != "merge":
        raise _wrong(f"--into belongs to merge, not to {what}.")
    if "" in names:
        raise _wrong("A label's name cannot be empty.")
    makers = {"add": _add, "rename": _rename, "retire": _retire, "split": _split}
    if what == "merge":
        change, named = _merge(names, labels, into)
    elif what in makers:
        change, named = makers[what](names, labels)
    else:
        raise _wrong(f"There is no change of labels called '{what}'.")
    if len(descriptions) > len(named):
        raise _wrong(f"There are {len(descriptions)} descriptions for {len(named)} labels.")
    given = dict(zip(named, descriptions, strict=False))
    new = {name: given.get(name, "").strip() or text or name for name, text in change.new.items()}
    _check(new, multi_label, reserved)
    return replace(change, new=new)


def is_same(change: Change, *asked: Any) -> bool:
    """Whether it is the change that `plan` would make of the labels that it began with."""
    try:
        return plan(change.old, *asked) == change
    except ProjectError:
        return False


def _wrong(title: str) -> ProjectError:
    before = "\npython -m scripts.labels "
    there = before.join(["", *HOW.splitlines()])
    return ProjectError(title, f"Nothing was changed. What there is:{there}")


def _known(names: Sequence[str], labels: dict[str, str]) -> None:
    if unknown := [name for name in names if name not in labels]:
        raise ProjectError(
            f"There is no label '{unknown[0]}'; nothing was changed.",
            f"The labels are: {', '.join(labels)}",
        )


def _add(names: list[str], labels: dict[str, str]) -> Made:
    if not names:
        raise _wrong("Which label is to be added?")
    new = {**labels, **dict.fromkeys(names, "")}
    _fresh(names, labels)
    return Change(f"add {_quoted(names)}", labels, new), names


def _rename(names: list[str], labels: dict[str, str]) -> Made:
    if len(names) != 2:
        raise _wrong("A rename takes two names: the old one and the new one.")
    old, new = names
    _known([old], labels)
    if old == new:
        raise ProjectError(f"'{old}' is called so already; nothing was changed.")
    _fresh([new], [label for label in labels if label != old])
    text = "" if labels[old] == old else labels[old]
    now = _replaced(labels, {old: {new: text}})
    return Change(f"'{old}' becomes '{new}'", labels, now, {old: new}), [new]


def _merge(names: list[str], labels: dict[str, str], into: str) -> Made:
    names = list(dict.fromkeys(names))
    if len(names) < 2 or not into:
        raise _wrong("A merge takes two labels or more, and the name of the one that they become.")
    _known(names, labels)
    _fresh([into], [label for label in labels if label not in names])
    texts = [labels[name] for name in names if labels[name] not in ("", name)]
    # What describes each of them describes the new one: the model learns from it.
    first = into if into in names else next(label for label in labels if label in names)
    gone: dict[str, dict[str, str]] = {name: {} for name in names}
    new = _replaced(labels, {**gone, first: {into: ", ".join(texts)}})
    became: dict[str, str | None] = {name: into for name in names if name != into}
    return Change(f"{_quoted(names)} become '{into}'", labels, new, became), [into]


def _retire(names: list[str], labels: dict[str, str]) -> Made:
    if not names:
        raise _wrong("Which label is to be retired?")
    _known(names, labels)
    new = _replaced(labels, {name: {} for name in names})
    return Change(f"retire {_quoted(names)}", labels, new, dict.fromkeys(names)), []


def _split(names: list[str], labels: dict[str, str]) -> Made:
    if len(names) < 3:
        raise _wrong("A split takes a label and two or more that take its place.")
    old, *parts = names
    _known([old], labels)
    if len(set(parts)) < len(parts):
        raise _wrong("A split takes labels of different names.")
    _fresh([part for part in parts if part != old], [label for label in labels if label != old])
    texts = {part: labels[old] if part == old else "" for part in parts}
    new = _replaced(labels, {old: texts})
    said = f"'{old}' is split into {_quoted(parts)}"
    return Change(said, labels, new, dict.fromkeys([old]), whole=True), parts


def _replaced(labels: dict[str, str], by: dict[str, dict[str, str]]) -> dict[str, str]:
    """The labels in their order, some of them replaced by others."""
    new: dict[str, str] = {}
    for name, text in labels.items():
        new |= by.get(name, {name: text})
    return new


def _fresh(names: Sequence[str], there: Sequence[str] | dict[str, str]) -> None:
    taken = {name.casefold(): name for name in there}
    for name in names:
        if name.casefold() in taken:
            raise ProjectError(
                f"There is a label '{taken[name.casefold()]}' already; nothing was changed.",
                "To put two labels together: "
                f'python -m scripts.labels merge "one" "other" --into "{name}"',
            )
        taken[name.casefold()] = name


def _check(new: dict[str, str], multi_label: bool, reserved: str) -> None:
    if reserved in new:
        raise ProjectError(
            f"A label cannot be called '{reserved}': the page offers this choice by itself.",
            "Nothing was changed.",
        )
    if len(new) < 2:
        raise ProjectError(
            "A classifier needs at least two labels; nothing was changed.",
            f"Left would be: {', '.join(new) or 'none'}",
        )
    check_names(new)
    if multi_label and len(new) == MOST_LABELS:
        raise ProjectError(
            f"Argilla takes at most {MOST_LABELS} choices, one of which is '{reserved}'.",
            "Nothing was changed.",
        )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
