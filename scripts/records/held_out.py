"""The test set's own data set in Argilla, "<name>-test": nothing of the loop looks at it."""

from collections.abc import Sequence

import argilla as rg

from scripts.data.corpus import Row
from scripts.records.convert import TEXT
from scripts.records.dataset import LoopDataset
from scripts.records.questions import default_guidelines
from scripts.records.schema import find
from scripts.records.settings import ArgillaSettings

PURPOSE = (
    "**These texts test the model.** It never learns from them, and no suggestion is shown here, "
    "so that the test is not swayed by what it tests."
)


def open_test_set(
    client: rg.Argilla, settings: ArgillaSettings, labels: dict[str, str]
) -> LoopDataset:
    """The data set of held-out texts that belongs to the loop's; made if it is not there yet.

    labels: label -> description.
    """
    guidelines = settings.guidelines or default_guidelines(labels, settings.multi_label, False)
    own = {"dataset": test_set_name(settings.dataset), "guidelines": f"{PURPOSE}\n\n{guidelines}"}
    return LoopDataset.open(client, settings.model_copy(update=own), labels, dim=0)


def find_test_set(
    client: rg.Argilla, settings: ArgillaSettings, labels: dict[str, str]
) -> LoopDataset | None:
    """The same, if it is there."""
    own = settings.model_copy(update={"dataset": test_set_name(settings.dataset)})
    if find(client, own)[1] is None:
        return None
    return LoopDataset.open(client, own, labels, dim=None)


def test_set_name(dataset: str) -> str:
    """dataset: The name of the loop's."""
    return f"{dataset}-test"


def ask(test_set: LoopDataset, rows: Sequence[Row]) -> None:
    """Ask people about rows with "id" and "text" that are not there yet."""
    test_set.push([rg.Record(id=row["id"], fields={TEXT: row["text"]}) for row in rows])
