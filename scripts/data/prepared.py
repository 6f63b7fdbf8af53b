"""What `prepare` writes: the pool and what is held out of it, never over what people made."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import srsly

from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.corpus import Row
from scripts.data.sources import DEMO

# Files that belong to one data set; what else is in the folder (embeddings) may stay.
OF_ONE_DATA_SET = ("oracle.jsonl", "held_out.jsonl", "test.spacy", "train.spacy")


@dataclass(frozen=True)
class Before:
    """What is in the folder already. meta: {} where nothing was prepared. held_out: For people to
    label. tested: The ids of these, or of the gold test set."""

    corpus: Path
    meta: dict[str, Any]
    labels: list[str]
    held_out: list[Row]
    pool: set[str]
    tested: set[str]

    @property
    def labelled_by_people(self) -> bool:
        """Is there a test set that people labelled (`weasel run test-set`)?"""
        return bool(self.held_out) and (self.corpus / "test.spacy").exists()


def look_before(corpus: Path) -> Before:
    """What `prepare` left in the folder, as far as it can be read."""

    def lines(name: str) -> list[Row]:
        try:
            return list(srsly.read_jsonl(corpus / name))
        except ValueError:  # missing or damaged: there is nothing to keep
            return []

    def values(name: str) -> dict[str, Any]:
        try:
            return dict(srsly.read_json(corpus / name))
        except (ValueError, TypeError):
            return {}

    held_out = lines("held_out.jsonl")
    tested = {row["id"] for row in held_out}
    if not held_out and (corpus / "test.spacy").exists():
        from scripts.data.docbins import held_out_ids  # imports spaCy, which takes two seconds

        with suppress(ValueError, ProjectError):  # damaged
            tested = held_out_ids(corpus)
    pool = {row["id"] for row in lines("pool.jsonl")}
    labels = list(values("labels.json"))
    return Before(corpus, values("meta.json"), labels, held_out, pool, tested)


def check_overwrite(
    before: Before, meta: dict[str, Any], labels: Sequence[str], gold: bool
) -> bool:
    """Is it the same data set again, whose held-out texts stay held out?

    gold: Does the data have gold labels now, and so a test set of its own?
    RAISES (ProjectError): Other data would be overwritten, or a test set that people labelled.
    """
    go_on = "Or add --vars.overwrite true to replace it; labels in Argilla stay there."
    there, asked = before.meta.get("dataset", ""), meta["dataset"]
    same = bool(there) and same_source(there, asked)
    # The demo comes with a package: preparing other data in its place loses nobody's work.
    if not same and (there not in ("", DEMO) or before.labelled_by_people):
        raise ProjectError(
            f"{before.corpus} holds other data: {there or 'unknown'}. Nothing was changed.",
            f"Asked for was {asked}; name the data in each call: --vars.dataset {there}\n{go_on}",
        )
    changed = [
        f"{name}: {before.meta[name] or 'none'}; asked for: {meta[name] or 'none'}"
        for name in ("text_column", "label_column", "split")
        if before.meta.get(name, meta[name]) != meta[name]
    ]
    if set(before.labels) != set(labels):
        changed.append(f"labels: {', '.join(before.labels)}; asked for: {', '.join(labels)}")
    changed += ["no gold labels in the data then"] if gold else []
    if same and changed and before.labelled_by_people:
        raise ProjectError(
            f"People labelled the test set {before.corpus / 'test.spacy'} with other settings. "
            "Nothing was changed.",
            "\n".join([*changed, f"Ask for what it was labelled with. {go_on}"]),
        )
    return same


def same_source(one: str, other: str) -> bool:
    """Whether two names are of the same data."""
    return one == other or (
        Path(one).exists() and Path(other).exists() and Path(one).samefile(other)
    )


def split_rows(
    rows: list[Row], test_size: float, seed: int, before: Before | None
) -> tuple[list[Row], list[Row]]:
    """Labelled rows as a pool and a test set, stratified by label where every label is frequent
    enough.

    before: The same data as it was prepared last. Its test set stays, and no text of its pool comes
        into it, as it may have been labelled and trained on: only texts that are new are split.
    """
    from sklearn.model_selection import train_test_split  # takes a second to import

    keys = ["\n".join(row["labels"]) for row in rows]
    size: float | int = test_size if test_size < 1 else int(test_size)
    stratify = keys if min(Counter(keys).values()) > 1 else None
    try:
        pool, test = train_test_split(rows, test_size=size, random_state=seed, stratify=stratify)
    except ValueError as err:
        raise ProjectError(
            f"{count(len(rows), 'text')} cannot be split into a pool and a test set.",
            f"{err}\nSet another --vars.test_size (a share, or a number of texts).",
        ) from None
    if before and before.tested:
        chosen = ({row["id"] for row in test} - before.pool) | before.tested
        all_ = [*pool, *test]
        pool = [row for row in all_ if row["id"] not in chosen]
        test = [row for row in all_ if row["id"] in chosen]
    return pool, test


def hold_out(
    rows: list[Row], most: int, seed: int, before: Before | None
) -> tuple[list[Row], list[Row]]:
    """Unlabelled rows as a pool and the texts that people will label as a test set, in a random
    order: `most` of them, and never more than a fifth of all.

    before: The same data as it was prepared last. Texts that were held out stay held out, and no
        text of its pool takes their place, as it may have been labelled and trained on.
    """
    there = before.held_out if before else []
    asked_before = before.pool if before else set()
    taken = {row["id"] for row in there}
    free = [row for row in rows if row["id"] not in taken]
    fresh = [row for row in free if row["id"] not in asked_before]
    wanted = min(most, (len(free) + len(there)) // 5) - len(there)
    new = random.Random(seed).sample(fresh, max(0, min(wanted, len(fresh))))
    chosen = {row["id"] for row in new}
    return [row for row in free if row["id"] not in chosen], [*there, *new]


def write_corpus(
    names: dict[str, str],
    meta: dict[str, Any],
    pool: Sequence[Row],
    test: Sequence[Row],
    corpus: Path,
    before: Before | None,
) -> None:
    """Write the files beside the folder's own and, when all are complete, put them in their place:
    what fails or is interrupted before leaves the folder as it was.

    before: The same data as it was prepared last, whose labels by people stay.
    """
    gold = [row for row in pool if row.get("labels") is not None]
    files: dict[str, Any] = {"pool.jsonl": _only(pool, "id", "text"), "labels.json": names}
    if gold:
        files["oracle.jsonl"] = _only(gold, "id", "labels")
    else:
        files["held_out.jsonl"] = _only(test, "id", "text")
    files["meta.json"] = meta  # last comes what says which data these are
    stale = set(OF_ONE_DATA_SET) - set(files)
    if before:
        stale -= {"train.spacy"} | ({"test.spacy"} if before.labelled_by_people else set())
    corpus.mkdir(parents=True, exist_ok=True)
    stage = corpus / ".prepare"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    try:
        for name, content in files.items():
            write = srsly.write_jsonl if name.endswith(".jsonl") else srsly.write_json
            write(stage / name, content)
        if gold:
            from scripts.data.docbins import write_rows  # imports spaCy, which takes two seconds

            write_rows(test, list(names), stage / "test.spacy")
            os.replace(stage / "test.spacy", corpus / "test.spacy")
            stale.discard("test.spacy")
        for name in files:
            os.replace(stage / name, corpus / name)
        for name in stale:
            (corpus / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _only(rows: Sequence[Row], *keys: str) -> list[Row]:
    return [{key: row[key] for key in keys} for row in rows]
