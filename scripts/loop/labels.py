"""Labels change while people label: in all data sets of Argilla and in the files of corpus/."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from wasabi import table

from scripts.cli.console import msg
from scripts.cli.words import count
from scripts.data.label_changes import Change
from scripts.data.label_files import begin, change_files, done
from scripts.loop.found import take_found
from scripts.loop.lease import lease
from scripts.loop.reset import backup
from scripts.loop.settings import Settings
from scripts.records.answers import Answer
from scripts.records.client import Client
from scripts.records.copy import is_whole
from scripts.records.dataset import LoopDataset
from scripts.records.held_out import test_set_name
from scripts.records.pool_dataset import pool_name
from scripts.records.schema import find
from scripts.records.settings import ArgillaSettings
from scripts.records.swap import Effect, Place, check, effect, swap


def places(client: Client, settings: ArgillaSettings) -> dict[str, Place]:
    """The data sets with these labels, there or not, by what they are; the loop's own is last."""
    workspace, _ = find(client, settings)
    names = {
        "the pool's data set": pool_name(settings.dataset),
        "the test set": test_set_name(settings.dataset),
        "the loop": settings.dataset,
    }
    return {
        what: Place(client, str(workspace.id), name, settings.multi_label)
        for what, name in names.items()
    }


def effects(client: Client, settings: Settings, change: Change) -> dict[str, Effect]:
    """What the change would do to each data set, by what it is.

    RAISES (ProjectError): A data set has other labels than the change begins or ends with.
    """
    found = places(client, settings.argilla)
    for place in found.values():
        check(place, change)
    return {what: effect(place, change) for what, place in found.items()}


def change_labels(client: Client, settings: Settings, change: Change, stamp: str) -> None:
    """Make the change everywhere. It can be cut short at any point and run again; until it is done
    no other command reads the labels.

    stamp: When it was begun; what was before is called after it.
    RAISES (ProjectError): A data set has other labels than the change begins or ends with, or could
        not be copied.
    """
    with lease(settings.paths.corpus, "labels"):
        _change(client, settings, change, stamp)


def _change(client: Client, settings: Settings, change: Change, stamp: str) -> None:
    corpus = settings.paths.corpus
    found = places(client, settings.argilla)
    for place in found.values():
        check(place, change)
    _take_found(client, settings, found["the pool's data set"], found["the loop"])
    begin(corpus, change, stamp)
    for what, place in found.items():
        if None in change.became.values() and effect(place, change).asked:
            _keep(client, settings, place.name, corpus, stamp)
        if kept := swap(place, change, stamp):
            msg.good(f"'{place.name}' has the new labels; as it was, it is called '{kept}' now")
            print(f"Label at {place.url(what == 'the loop')}")
    lost = change_files(corpus, change)
    done(corpus)
    if gone := lost.get("test.spacy"):
        again = ": label them again, then run `weasel run test-set`"
        ask = again if (corpus / "held_out.jsonl").exists() else ""
        msg.info(f"{count(gone, 'text')} left the test set, as the label is gone{ask}")
    msg.good(f"Done: {change.said}. Labels: {', '.join(change.new)}")


def _take_found(client: Client, settings: Settings, pool: Place, loop: Place) -> None:
    """What people said in the pool, while it can be told whether they said it before or after what
    the loop has of them: all that is copied is of now. Where the copy was cut short between the
    two, their labels differ, and it cannot be told any more."""
    there = [pool.find(), loop.find()]
    labels = [set(pool.labels(one)) for one in there if one is not None and is_whole(one)]
    _, dataset = find(client, settings.argilla)
    if dataset is not None and len(labels) == 2 and labels[0] == labels[1]:
        take_found(LoopDataset(client, dataset.get(), settings.argilla))


def _keep(client: Client, settings: Settings, name: str, corpus: Path, stamp: str) -> None:
    """Write down what people said before some of it is asked again."""
    own = settings.argilla.model_copy(update={"dataset": name})
    _, dataset = find(client, own)
    if dataset is not None:
        answers = LoopDataset(client, dataset, own).answers()
        path, _ = backup(answers, own.multi_label, corpus, name, stamp)
        msg.info(f"{path}: what was said in '{name}' before")


def in_words(found: dict[str, Effect]) -> list[str]:
    """For people, who are asked whether the change is to be made."""
    lines = []
    for what, one in found.items():
        parts = []
        if one.moved:
            parts.append(f"{count(one.moved, 'answer')} by people carried over")
        if one.asked:
            parts.append(f"{count(one.asked, 'text')} asked again")
        if one.machine:
            parts.append(f"{count(one.machine, 'machine answer')} taken back")
        if parts:
            lines.append(f"{what}: {', '.join(parts)}")
    return lines or ["no answer changes"]


def overview(labels: dict[str, str], answers: Sequence[Answer]) -> str:
    """The labels with the texts that have them, by people and by machine."""
    people = Counter(label for a in answers if a.status == "labelled" for label in a.labels)
    machine = Counter(label for a in answers if a.status == "machine" for label in a.labels)
    rows = [
        (name, people[name], machine[name], text if text != name else "")
        for name, text in labels.items()
    ]
    header = ("Label", "People", "Machine", "Description")
    return str(table(rows, header=header, divider=True, aligns=("l", "r", "r", "l"), max_col=60))
