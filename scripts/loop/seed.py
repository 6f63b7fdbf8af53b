"""Examples that the user has already: labelled records in Argilla before anybody is asked."""

from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from scripts.data.corpus import Row, check_one_label
from scripts.loop.learner import Learner
from scripts.records.convert import QUESTION, Record, doc_to_record, to_value
from scripts.records.dataset import LoopDataset
from scripts.records.rest import upsert
from scripts.records.settings import BOT, MOST


def seed(dataset: LoopDataset, learner: Learner, rows: Sequence[Row]) -> int:
    """Put labelled rows into Argilla, as answers of the user whose key is used: as new records, or
    on those that wait or that the machine alone has answered.

    RETURNS: How many were taken; what people have said of the others stays.
    RAISES (ProjectError): A text has no label or several, where the pipeline takes exactly one.
    """
    if not learner.multi_label:
        texts, labels = [row["text"] for row in rows], [row["labels"] for row in rows]
        check_one_label(texts, labels, "the examples")
    there = {answer.text_id: answer for answer in dataset.answers()}
    votes = {id_: [vote for vote in there[id_].votes if vote.user != BOT] for id_ in there}
    taken = [row for row in rows if not votes.get(row["id"])]
    new = [row for row in taken if row["id"] not in there]
    vectors = learner.embed([row["text"] for row in new])

    def record(i: int) -> Record:
        doc = learner.nlp.make_doc(new[i]["text"])
        made = doc_to_record(doc, iteration=0, source="seed", vector=vectors[i])
        return dataset.my_response(made, new[i]["labels"])

    # What was cut short is run again: those that are there are left out.
    starts = range(0, len(new), MOST)
    for start in tqdm(starts, "Examples", disable=len(starts) < 2 or None):
        dataset.push([record(i) for i in range(start, min(start + MOST, len(new)))])
    items = [_response(dataset, there[row["id"]].id, row) for row in taken if row["id"] in there]
    upsert(dataset.client, dataset.dataset.id, items)
    return len(taken)


def _response(dataset: LoopDataset, id_: str, row: Row) -> dict[str, Any]:
    """To a record that is there, of which nothing else changes."""
    value = to_value(row["labels"], dataset.settings.multi_label)
    values = {QUESTION: {"value": value}}
    response = {"user_id": str(dataset.client.me.id), "status": "submitted", "values": values}
    return {"external_id": id_, "responses": [response]}
