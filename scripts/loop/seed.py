"""Examples that the user has already: labelled records in Argilla before anybody is asked."""

from collections.abc import Sequence

from tqdm import tqdm

from scripts.data.corpus import Row, check_one_label
from scripts.loop.learner import Learner
from scripts.records.convert import Record, doc_to_record
from scripts.records.dataset import MOST, LoopDataset


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

    def record(i: int) -> Record:
        doc = learner.nlp.make_doc(new[i]["text"])
        made = doc_to_record(doc, iteration=0, source="seed", vector=vectors[i])
        return dataset.my_response(made, new[i]["labels"])

    # What was cut short is run again: those that are there are left out.
    starts = range(0, len(new), MOST)
    for start in tqdm(starts, "Examples", disable=len(starts) < 2 or None):
        dataset.push([record(i) for i in range(start, min(start + MOST, len(new)))])
    return len(new)
