"""The labels of a data set: those that the settings name, and those that the texts have."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import srsly

from scripts.cli.errors import ProjectError
from scripts.data.corpus import Row
from scripts.data.rows import unusable

# Argilla's limits for one question.
MOST_LABELS, MOST_CHARACTERS = 500, 200


def read_label_spec(spec: str, dataset: str) -> dict[str, str]:
    """The labels that the settings name, each with a description (its name if there is none).

    spec: A comma-separated list, or the path of a JSON file: a list, or {label: description}.
        Empty: assets/labels/<dataset>.json where the project ships one, else no labels.
    """
    path = Path(spec or f"assets/labels/{slug(dataset)}.json")
    if path.suffix != ".json":
        return {label.strip(): label.strip() for label in spec.split(",") if label.strip()}
    if not path.exists():
        if spec:
            raise ProjectError(f"There is no labels file {path}.", "Set --vars.labels.")
        return {}
    try:
        found = srsly.read_json(path)
    except ValueError as err:
        raise ProjectError(f"{path} is not JSON.", str(err)) from None
    if isinstance(found, list):
        found = {label: label for label in map(str, found)}
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ProjectError(
            f"{path} has no labels.",
            'It should be a list, ["Sports", "Business"], or have descriptions: '
            '{"Sports": "matches and players"}',
        )
    return {label.strip(): text for label, text in found.items()}


def one_spelling(rows: Iterable[Row], declared: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Put labels together that differ in case or spaces only, in place: the declared spelling
    counts, else the most frequent one. Labels that are all declared stay apart.

    RETURNS: spelling that is gone -> (spelling that it became, labels that had it).
    """
    rows, declared = list(rows), set(declared)
    counts = Counter(label for row in rows for label in row["labels"] or [])
    alike: dict[str, list[str]] = defaultdict(list)
    for label in sorted(declared | set(counts)):
        alike[" ".join(label.split()).casefold()].append(label)
    became: dict[str, tuple[str, int]] = {}
    for spellings in alike.values():
        kept = declared & set(spellings) or {max(spellings, key=lambda label: counts[label])}
        if len(kept) == 1:
            (right,) = kept
            became |= {wrong: (right, counts[wrong]) for wrong in spellings if wrong != right}
    for row in rows:
        if row["labels"]:
            now = [became.get(label, (label, 0))[0] for label in row["labels"]]
            row["labels"] = list(dict.fromkeys(now))
    return became


def spelling_lines(became: dict[str, tuple[str, int]]) -> str:
    """What `one_spelling` did, for people."""
    return ", ".join(f"'{old}' (texts: {n}) is '{new}'" for old, (new, n) in became.items())


def check_names(names: Iterable[str]) -> None:
    """RAISES (ProjectError): Fewer than two labels, a blank one, or more or longer ones than
    Argilla takes."""
    names = list(names)
    if len(names) < 2:
        raise ProjectError(
            f"A classifier needs at least two labels; there are {len(names)}.",
            "Name the column of gold labels (--vars.label_column) or the labels themselves "
            "(--vars.labels 'Sports,Business').",
        )
    if len(names) > MOST_LABELS:
        raise ProjectError(
            f"There are {len(names)} labels; Argilla takes at most {MOST_LABELS}.",
            f"Is --vars.label_column right? It has labels such as {', '.join(names[:3])[:200]}",
        )
    for name in names:
        if reason := "is blank" if not name.strip() else unusable(name, MOST_CHARACTERS):
            raise ProjectError(
                f"The label {name[:40]!r} {reason}.",
                "Shorten or mend it, or set --vars.labels or --vars.label_column.",
            )


def several_or_none(rows: Iterable[Row]) -> str:
    """How many rows have more or fewer labels than one, for people; "" if each has just one."""
    counts = [len(row["labels"]) for row in rows if row["labels"] is not None]
    several, none = sum(n > 1 for n in counts), counts.count(0)
    if not several and not none:
        return ""
    return f"Labelled texts: {len(counts)}, with several labels: {several}, with none: {none}"


def slug(dataset: str) -> str:
    """A name that Argilla takes: of a file its stem, else the data set's own name."""
    name = Path(dataset).stem if Path(dataset).exists() else dataset
    return re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_") or "texts"
