"""What `export` does: read Argilla and the test set, see what is promised, and write the folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.data.corpus import Row, read_held_out, read_labels, read_name, read_pool
from scripts.data.exported import write_export
from scripts.loop.card import Facts, make_card, promised
from scripts.loop.export_rows import (
    REST,
    TEST,
    anonymise,
    by_people,
    from_file,
    in_a_team,
    look,
    to_splits,
)
from scripts.loop.learner import Learner
from scripts.loop.progress import agreement
from scripts.loop.settings import Settings
from scripts.records.answers import Answers
from scripts.records.client import argilla_client
from scripts.records.dataset import LoopDataset
from scripts.records.held_out import find_test_set
from scripts.records.provenance import read


@dataclass(frozen=True)
class Exported:
    """What was written and what is promised of it, in words."""

    counts: str
    promised: Sequence[str]


def export(
    settings: Settings, folder: Path, with_open: bool, anonymous: bool, licence: str
) -> Exported:
    """Write the folder. Nothing in Argilla is changed.

    with_open: Texts that were never asked become rows too.
    anonymous: People are annotator-1, annotator-2 and so on. licence: For the card, or "".
    RAISES (ProjectError): Nobody has labelled anything yet, or the folder holds other files.
    """
    corpus, several = settings.paths.corpus, settings.argilla.multi_label
    labels, pool = read_labels(corpus), read_pool(corpus)
    learner = Learner(settings.paths.pipeline, settings.paths.cache, labels, pool)
    with argilla_client(settings.paths.argilla) as client:
        dataset = LoopDataset.open(client, settings.argilla, labels, dim=None)
        found = read(dataset)
        held_out = find_test_set(client, settings.argilla, labels)
        tested = read(held_out) if held_out else []
    answers = Answers([one.answer for one in found])
    if not answers.labelled:
        raise ProjectError(
            f"No record of '{settings.argilla.dataset}' has a label by people yet.",
            f"Label some at {dataset.url}, then run this again.",
        )
    today = look(answers, learner, pool, settings)
    stands = today is None or today.stands(answers)
    if today and settings.argilla.min_submitted > 1:
        found, stands = [*found, *in_a_team(today, answers, pool)], True
    held_out_ids = {row["id"] for row in read_held_out(corpus)}
    test = by_people(tested, held_out_ids, several) or _test_file(corpus, labels, several)
    there = {one.answer.text_id for one in found}
    texts = zip(pool.ids, pool.texts, strict=True)
    open_texts = {id_: text for id_, text in texts if with_open and id_ not in there}
    splits = to_splits(found, test, today, open_texts, several)
    if anonymous:
        splits = anonymise(splits)
    facts = Facts(read_name(corpus), labels, today, stands, agreement(answers, learner), licence)
    write_export(splits, list(labels), several, make_card(facts, splits, settings), folder)
    return Exported(_counts(splits), promised(facts, settings))


def _test_file(corpus: Path, labels: dict[str, str], several: bool) -> list[Row]:
    """The test set of `prepare`, or what is left of people's where Argilla has it no more."""
    path = corpus / "test.spacy"
    if not path.exists():
        return []
    from scripts.data.docbins import read_gold_texts

    by = "people" if (corpus / "held_out.jsonl").exists() else "gold"
    return from_file(*read_gold_texts(path, labels, several), by, several)


def _counts(splits: dict[str, list[Row]]) -> str:
    n = {split: len(splits.get(split, ())) for split in ("train", "machine", TEST, REST)}
    return (
        f"{count(n['train'], 'text')} labelled by people, {n['machine']} by machine, {n[TEST]} in "
        f"the test set, {n[REST]} without a label"
    )
