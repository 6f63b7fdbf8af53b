"""A data set of Argilla with other labels in place of the old one.

Argilla changes no choice of a published data set. So a new one is made under another name, all is
copied to it, and the two change names. What is cut short is run again. Whoever has the old one on
screen can go on answering there: such late answers are brought over whenever the new one is opened.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import argilla as rg

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.label_changes import Change
from scripts.records.convert import QUESTION
from scripts.records.copy import (
    ALWAYS,
    NEVER,
    Convert,
    Side,
    copy_records,
    create,
    differences,
    is_whole,
    lacks,
    settings_of,
    tally,
)
from scripts.records.questions import MOST_CHARACTERS, question_labels
from scripts.records.relabel import Relabel, asks_again, relabel_settings, relabelling
from scripts.records.rest import Json, data_sets, page_url, questions_of, request, user_ids
from scripts.records.settings import BOT

MAKING = "-new-labels"  # ends the name of a data set that is being made
LEFT = "labels_changed"  # Argilla's metadata of an old data set: by which change, and for which new
PASSES = 5  # so often is looked for new answers before the names change


@dataclass(frozen=True)
class Effect:
    """What a change does to a data set. moved: people's answers that have another label now.
    asked: texts that people answered and are asked again. machine: answers of the machine that go.
    """

    moved: int = 0
    asked: int = 0
    machine: int = 0


@dataclass(frozen=True)
class Place:
    """A data set that a change concerns, and a workspace of a server."""

    client: rg.Argilla
    workspace_id: str
    name: str
    multi_label: bool

    def find(self, ending: str = "") -> Json | None:
        return data_sets(self.client, self.workspace_id).get(f"{self.name}{ending}")

    def url(self, of_loop: bool) -> str:
        """Where people label; "" if there is no such data set."""
        dataset = self.find()
        return page_url(self.client, dataset["id"], of_loop) if dataset else ""

    def side(self, dataset: Json) -> Side:
        return Side(self.client, dataset["id"], user_ids(self.client))

    def labels(self, dataset: Json) -> list[str]:
        """RAISES (ProjectError): It was not made by this project."""
        for question in questions_of(self.client, dataset["id"]):
            if question["name"] == QUESTION and "options" in question["settings"]:
                return [option["value"] for option in question["settings"]["options"]]
        raise ProjectError(
            f"Argilla's data set '{dataset['name']}' was not made by this project.",
            "Nothing was changed. Set another name: [argilla] dataset in configs/loop.cfg.",
        )


def check(place: Place, change: Change) -> None:
    """RAISES (ProjectError): The data set, or one that is being made for it, has other labels than
    the change begins or ends with."""
    new = set(question_labels(change.new, place.multi_label))
    both = (set(question_labels(change.old, place.multi_label)), new)
    for ending, expected in (("", both), (MAKING, (new,))):
        dataset = place.find(ending)
        if dataset is None or not is_whole(dataset):
            continue
        there = place.labels(dataset)
        if set(there) not in expected:
            raise ProjectError(
                f"Argilla's data set '{dataset['name']}' has the labels {', '.join(there)}.",
                f"The change ({change.said}) gives {', '.join(change.new)}. Nothing was changed."
                + (
                    "\nAnother change was begun and not finished: finish that one first, where it "
                    "was begun."
                    if ending
                    else ""
                ),
            )


def check_not_in_the_making(client: rg.Argilla, name: str, workspace_id: str) -> None:
    """For a data set that is not there.

    RAISES (ProjectError): Its labels are being changed, and just now it has another name.
    """
    if f"{name}{MAKING}" in data_sets(client, workspace_id):
        raise ProjectError(
            f"The labels of Argilla's data set '{name}' are being changed.",
            "If the change was cut short, finish it where it was begun: weasel run labels",
        )


def effect(place: Place, change: Change) -> Effect:
    """What the change would do; nothing where there is no such data set."""
    dataset = place.find()
    if dataset is None:
        return Effect()
    relabel = _relabelling(place, dataset, change)
    moved = asked = machine = 0
    for record, _ in place.side(dataset).records():
        asked += asks_again(relabel, record)
        for said in record["responses"]:
            if said["status"] == "submitted":
                values = relabel.values(record, said)
                machine += values is None and said["user"] == BOT
                moved += values not in (None, said["values"]) and said["user"] != BOT
    return Effect(moved, asked, machine)


def _relabelling(place: Place, dataset: Json, change: Change) -> Relabel:
    records = (record for record, _ in place.side(dataset).records())
    return relabelling(change, records)


def swap(place: Place, change: Change, stamp: str) -> str:
    """Give the data set the new labels.

    stamp: When the change was begun: the old data set is called after it.
    RETURNS: The old data set's name; "" if there was nothing to do.
    RAISES (ProjectError): The copy is not what it should be; the old data set is still in place.
    """
    backup = f"{place.name}-before-{stamp}"
    old, made = place.find(), place.find(MAKING)
    if old is None and made is None:
        return ""
    if old is not None:
        take_late(place.client, old["id"], place.workspace_id, look=True)
        if made is None and set(place.labels(old)) == set(
            question_labels(change.new, place.multi_label)
        ):
            return backup if place.find(f"-before-{stamp}") else ""
        made = _make(place, old, made, change)
        _copy(place, old, made, change)
        if old.get("metadata"):  # Argilla 2.8 changes no metadata that it has already
            _patch(place, old, metadata=None)
        left = {"id": made["id"], "change": asdict(change)}
        note = f"**Labels have changed: these texts are in '{place.name}' now. Label there.**\n\n"
        text = f"{note}{old.get('guidelines') or ''}"[:MOST_CHARACTERS]
        metadata = {**(old.get("metadata") or {}), LEFT: left}
        _patch(place, old, name=backup, guidelines=text, metadata=metadata)
    assert made is not None
    _patch(place, made, name=place.name)
    take_late(place.client, made["id"], place.workspace_id, look=True)
    return backup


def _patch(place: Place, dataset: Json, **what: Any) -> Json:
    return dict(request(place.client, "PATCH", f"/datasets/{dataset['id']}", json=what))


def _make(place: Place, old: Json, made: Json | None, change: Change) -> Json:
    """The new data set: what there is of it, if it is whole, else a new one."""
    if made is not None and is_whole(made):
        return made
    if made is not None:  # cut short in the making: without records
        request(place.client, "DELETE", f"/datasets/{made['id']}")
    settings = relabel_settings(settings_of(place.client, old), change, place.multi_label)
    settings.get("metadata", {}).pop(LEFT, None)
    name = f"{place.name}{MAKING}"
    return create(place.client, place.workspace_id, name, settings)


def _copy(place: Place, old: Json, made: Json, change: Change) -> None:
    """All of it, and again what was answered meanwhile."""
    relabel = _relabelling(place, old, change)
    source, target = place.side(old), place.side(made)
    title = f"Copying {place.name}"
    for number in range(PASSES):
        if not copy_records(source, target, relabel, ALWAYS, title, vectors=not number):
            break
    else:  # people answer faster than is copied: those answers are late ones
        return
    # What the new one has beside the copy, somebody has answered there already.
    expected, there = tally(source, relabel), tally(target)
    if missing := expected - there:
        # Between the two counts somebody may have answered: look once more.
        copy_records(source, target, relabel, ALWAYS, title, vectors=False)
        expected, there = tally(source, relabel), tally(target)
        missing = expected - there
    if missing:
        raise ProjectError(
            f"The copy of '{place.name}' is not complete; the old one stays in place.",
            "\n".join(differences(expected, there))
            + f"\nWhat was made is called '{made['name']}'. Run the same command again.",
        )


def take_late(client: rg.Argilla, dataset_id: str, workspace_id: str, look: bool = False) -> int:
    """Bring over what people answered in the old data sets after the labels had changed, where it
    has a label that is still there. An answer in the new one that is later stays.

    look: Whether nobody seems to have answered since or not. What came after the last copy and
        before the names changed is not seen from the outside.
    RETURNS: How many texts such answers came for.
    """
    taken, there = 0, data_sets(client, workspace_id)
    for old in _left_for(there, dataset_id):
        if not look and not _answered_since(old, there):
            continue
        users = user_ids(client)
        source, target = _Left(client, old, users, there), Side(client, dataset_id, users)
        found = copy_records(source, target, source.late, title="Late answers", vectors=False)
        if found:
            msg.info(f"Answers that came to '{old['name']}' after its labels had changed: {found}")
        taken += found
    return taken


def _left_for(there: dict[str, Json], dataset_id: str) -> list[Json]:
    """The data sets in whose place this one is."""
    marks = [((old.get("metadata") or {}).get(LEFT) or {}, old) for old in there.values()]
    return [old for left, old in marks if left.get("id") == dataset_id]


def _answered_since(old: Json, there: dict[str, Json]) -> bool:
    """Whether somebody seems to have answered in it, or in those before it, since it was left."""
    # An answer moves the time of the last activity, a new name both times.
    return old["last_activity_at"] > old["updated_at"] or any(
        _answered_since(one, there) for one in _left_for(there, old["id"])
    )


class _Left(Side):
    """A data set whose labels have changed, with what came late to those before it: labels change
    again while somebody still has the first one on screen. Nothing is written to it, as that would
    be of now, and later than what the same user has said in the new one meanwhile.

    late: A record of it as what people said late is brought over; None for one they did not answer.
    """

    late: Convert

    def __init__(
        self, client: rg.Argilla, old: Json, users: dict[str, str], there: dict[str, Json]
    ) -> None:
        super().__init__(client, old["id"], users)
        self.all = {record["external_id"]: record for record, _ in super().records()}
        for one in _left_for(there, self.id):
            before = _Left(client, one, users, there)
            for record in before.all.values():
                if late := before.late(record):
                    self._add(late)
        change = Change(**old["metadata"][LEFT]["change"])
        self.late = _by_people(relabelling(change, self.all.values()))

    def _add(self, late: Json) -> None:
        mine = self.all.setdefault(late["external_id"], late)
        said = {one["user"]: one for one in mine["responses"]}
        new = lacks(late, {"responses": said, "suggestions": {}}, NEVER)
        said |= {one["user"]: one for one in new["responses"]} if new else {}
        mine["responses"] = list(said.values())

    def records(self, vectors: bool = False) -> Iterator[tuple[Json, int]]:
        return ((record, len(self.all)) for record in self.all.values())


def _by_people(relabel: Relabel) -> Convert:
    """Only records that people answered, and of those what people said."""

    def convert(record: Json) -> Json | None:
        found = relabel(record)
        if found is None:
            return None
        people = [said for said in found["responses"] if said["user"] != BOT]
        return {**found, "responses": people, "suggestions": []} if people else None

    return convert
