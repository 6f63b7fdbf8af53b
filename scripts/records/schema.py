"""What a data set of the loop in Argilla is made of: fields, question, metadata and vectors."""

import warnings
from typing import Any

import argilla as rg

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.records.convert import QUESTION, TEXT, VECTOR
from scripts.records.questions import (
    ASKED,
    NOTE,
    default_guidelines,
    question_labels,
    questions,
)
from scripts.records.settings import ArgillaSettings

# Where a record comes from: a cold start or examples that were given, a draw, a draw that fell on
# what the bot had answered, the bot itself, a second look by a person, or a label given in the
# data set of the whole pool.
SOURCES = ["seed", "query", "audit", "auto", "review", "found"]


def find(client: rg.Argilla, settings: ArgillaSettings) -> tuple[rg.Workspace, rg.Dataset | None]:
    """The workspace and, if it is there, the data set of the settings, as it is.

    RAISES (ProjectError): There is no such workspace.
    """
    with warnings.catch_warnings():  # the SDK warns where something is not there yet
        warnings.simplefilter("ignore")
        workspace = client.workspaces(settings.workspace)
        dataset = workspace and client.datasets(settings.dataset, workspace=workspace)
    if workspace is None:
        names = ", ".join(str(w.name) for w in client.workspaces) or "none"
        raise ProjectError(
            f"There is no workspace '{settings.workspace}' in Argilla.",
            f"The key can see: {names}. Set [argilla] workspace in configs/loop.cfg.",
        )
    return workspace, dataset


def is_published(dataset: rg.Dataset) -> bool:
    """Whether it is whole. One that was cut short in the making is not, and has no records."""
    return str(dataset._model.status) == "ready"


def dataset_settings(settings: ArgillaSettings, labels: dict[str, str], dim: int) -> rg.Settings:
    """Fields, questions, metadata and vectors. Needs a connected client (an SDK limitation).

    RAISES (ProjectError): A label has the name that stands for "none of these".
    """
    return rg.Settings(
        guidelines=settings.guidelines
        or f"{ASKED}\n\n{default_guidelines(labels, settings.multi_label)}",
        fields=[rg.TextField(name=TEXT, title="Text")],
        questions=questions(question_labels(labels, settings.multi_label), settings.multi_label),
        metadata=metadata_properties() if dim else [],
        vectors=[rg.VectorField(VECTOR, title="Embedding", dimensions=dim)] if dim else [],
        distribution=rg.TaskDistribution(min_submitted=settings.min_submitted),
    )


def metadata_properties() -> list[Any]:
    """What is kept of each record of the loop. Annotators need not see what a label proves."""
    hidden: Any = {"visible_for_annotators": False}
    return [
        rg.IntegerMetadataProperty("iteration", title="Step of the loop"),
        rg.FloatMetadataProperty("uncertainty", title="Uncertainty of the model"),
        rg.TermsMetadataProperty("source", title="Source", options=SOURCES),
        rg.FloatMetadataProperty("chance", title="Chance of the draw", **hidden),
        rg.IntegerMetadataProperty("open", title="Texts drawn from", **hidden),
        rg.FloatMetadataProperty("anywhere", title="Share drawn anywhere", **hidden),
    ]


def add_metadata(dataset: rg.Dataset) -> None:
    """What a data set of an earlier version of this project does not know yet. Its records stay as
    they are: their labels go on teaching, and prove nothing."""
    there = {field.name for field in dataset.settings.metadata}
    if "iteration" not in there:
        return  # it is no data set of the loop
    source = dataset.settings.metadata["source"] if "source" in there else None
    if source is not None and not set(SOURCES) <= set(source.options or SOURCES):
        source.delete()  # Argilla changes no options. What records say of it stays with them.
        there.remove("source")
    new = [field for field in metadata_properties() if field.name not in there]
    if new:
        for field in new:
            field.dataset = dataset
            field.create()
        dataset.get()


def check_made_here(dataset: rg.Dataset, as_new: rg.Settings) -> None:
    """Before anything is changed there or pushed, which Argilla would refuse halfway.

    as_new: Settings of a new data set. What `add_metadata` adds, an older one need not have yet.
    RAISES (ProjectError): Something else made it, or it is for other embeddings.
    """
    there = dataset.settings
    required = [part.name for part in (*there.fields, *there.questions) if part.required]
    added = {field.name for field in metadata_properties()} - {"iteration"}
    if (
        sorted(required) != sorted([TEXT, QUESTION])
        or there.fields[TEXT] is None
        or not isinstance(there.questions[QUESTION], rg.LabelQuestion | rg.MultiLabelQuestion)
        or not {vector.name for vector in as_new.vectors} <= {v.name for v in there.vectors}
        or any(
            type(there.metadata[field.name] or (field if field.name in added else None))
            is not type(field)
            for field in as_new.metadata
        )
    ):
        raise ProjectError(
            f"Argilla's data set '{dataset.name}' was not made by this project.",
            "Set another name: [argilla] dataset in configs/loop.cfg.",
        )
    for vector in as_new.vectors:
        if vector.dimensions != (length := there.vectors[vector.name].dimensions):
            raise ProjectError(
                f"Argilla's data set '{dataset.name}' was made with another encoder: its "
                f"embeddings have {length} numbers, those of the project's {vector.dimensions}.",
                "Take the encoder of before, or another data set: [argilla] dataset in "
                "configs/loop.cfg. Its labels stay where they are.",
            )


def check_labels(dataset: rg.Dataset, settings: ArgillaSettings, labels: dict[str, str]) -> None:
    question = dataset.settings.questions[QUESTION]
    several = isinstance(question, rg.MultiLabelQuestion)
    if several != settings.multi_label:
        takes = {True: "any number of labels a text", False: "exactly one label a text"}
        raise ProjectError(
            f"Argilla's data set '{dataset.name}' takes {takes[several]}; "
            f"the project's pipeline, {takes[not several]}.",
            "Set [paths] pipeline in configs/loop.cfg to the one that the data set was made with, "
            "or another data set: [argilla] dataset. Its labels stay where they are.",
        )
    there, expected = list(question.labels), question_labels(labels, settings.multi_label)
    if set(there) != set(expected):
        raise ProjectError(
            f"Argilla's data set '{dataset.name}' has the labels {', '.join(there)}; "
            f"the project has {', '.join(expected)}.",
            "To change labels while people label: weasel run labels\nIf they were changed on "
            "another machine, make the same change here. Or use another data set: [argilla] "
            "dataset in configs/loop.cfg.",
        )
    if not several and dataset.settings.questions[NOTE] is None:
        # Made before the note was there, and Argilla adds no question to a published data set.
        msg.warn(
            f"On the page of Argilla's data set '{dataset.name}' a number key submits at once.",
            "Don't press Enter after it, which would submit the next text unread. Data sets made "
            "from now on wait for Enter.",
        )
    if dataset.distribution.min_submitted != settings.min_submitted:
        raise ProjectError(
            f"Argilla's data set '{dataset.name}' asks {dataset.distribution.min_submitted} "
            f"people a record; configs/loop.cfg says {settings.min_submitted}.",
            "Set [argilla] min_submitted to the same, or use another data set.",
        )
