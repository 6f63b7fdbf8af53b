"""Examples that the user has already: labelled records in Argilla before anybody is asked."""

from collections.abc import Sequence

from scripts.data.corpus import Row, check_one_label
from scripts.loop.learner import Learner
from scripts.records.convert import doc_to_record
from scripts.records.dataset import LoopDataset


def seed(dataset: LoopDataset, learner: Learner, rows: Sequence[Row]) -> int:
    """Put labelled rows into Argilla, as answers of the user whose key is used.

    RETURNS: How many were new; those that Argilla has already stay as they are.
    RAISES (ProjectError): A text has no label or several, where the pipeline takes exactly one.
    """
    if not learner.multi_label:
        texts, labels = [row["text"] for row in rows], [row["labels"] for row in rows]
        check_one_label(texts, labels, "the examples")
    there = {answer.text_id for answer in dataset.pull()}
    new = [row for row in rows if row["id"] not in there]
    vectors = learner.embed([row["text"] for row in new])
    records = []
    for row, vector in zip(new, vectors, strict=True):
        record = doc_to_record(
            learner.nlp.make_doc(row["text"]), iteration=0, source="seed", vector=vector
        )
        records.append(dataset.my_response(record, row["labels"]))
    dataset.push(records)
    return len(new)
