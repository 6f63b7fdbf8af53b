"""What a loop ends with, all of it, so that two loops can be compared record by record."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.loop.finish import finish
from scripts.loop.session import open_loop
from scripts.loop.settings import Settings
from scripts.records.dataset import BOT, ORACLE, LoopDataset
from tests.records.snapshots import Said, get, snapshot


@dataclass(frozen=True)
class End:
    """records: Of the loop's data set by their ids, before anything was finished; twice: ids that
    several records have. finished: What `finish` says, and what it leaves in Argilla."""

    records: dict[str, Said]
    twice: list[str]
    finished: dict[str, Any]


def end_of(settings: Settings) -> End:
    """The end of a loop, finished."""
    with open_loop(settings) as (dataset, learner, pool):
        records, twice = _records(dataset)
        done = finish(dataset, learner, pool, settings)
        after, _ = _records(dataset)
        finished = {
            "texts": done.texts,
            "machine": [row.item() for row in done.machine.rows],
            "promise": repr(done.machine.promise),
            "accuracy": repr(done.machine.accuracy),
            "given": done.given,
            "proving": done.machine.proving,
            "records": after,
        }
    return End(records, twice, finished)


def _records(dataset: LoopDataset) -> tuple[dict[str, Said], list[str]]:
    name, id_ = str(dataset.dataset.name), dataset.dataset.id
    _, records = snapshot(dataset.client, name)
    there = get(dataset.client, f"/datasets/{id_}/records", limit=1000)
    counted = Counter([r["external_id"] for r in there])
    texts = Counter([(r["fields"]["text"], r["metadata"]["source"]) for r in there])
    return records, [str(key) for key, n in (counted + texts).items() if n > 1]


def by_people(end: End) -> dict[str, str]:
    """Record id -> the label that the oracle gave."""
    said = {
        id_: record["responses"][ORACLE]
        for id_, record in end.records.items()
        if ORACLE in record["responses"]
    }
    return {id_: values["label"] for id_, (status, values) in said.items() if status == "submitted"}


def wrong_answers(
    end: End, acknowledged: Mapping[str, str], unsure: Mapping[str, str], budget: int
) -> list[str]:
    """What is not there as it was answered; nothing if all is well.

    acknowledged, unsure: As in Oracle.
    """
    there = by_people(end)
    wrong = [f"{id_} is there twice" for id_ in end.twice]
    for id_, label in {**acknowledged, **unsure}.items():
        if there.get(id_) != label:
            wrong.append(f"{id_} was answered '{label}', and is {there.get(id_)!r}")
    wrong += [f"{id_} was never answered" for id_ in there.keys() - {*acknowledged, *unsure}]
    others = {user for record in end.records.values() for user in record["responses"]}
    wrong += [f"somebody else has answered: {user}" for user in others - {ORACLE, BOT}]
    if len(there) != budget:
        wrong.append(f"{len(there)} answers, of a budget of {budget}")
    return wrong


def differences(end: End, expected: End) -> list[str]:
    """Record by record, and in what `finish` says."""
    wrong = _differences("", end.records, expected.records)
    finished, others = dict(end.finished), dict(expected.finished)
    wrong += _differences("finished: ", finished.pop("records"), others.pop("records"))
    return wrong + _differences("finish: ", finished, others)


def _differences(where: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    return [
        f"{where}{key}: {_short(here.get(key))}, undisturbed {_short(there.get(key))}"
        for key in sorted(here.keys() | there.keys())
        if here.get(key) != there.get(key)
    ]


def _short(value: object) -> str:
    if isinstance(value, dict):
        value = {key: part for key, part in value.items() if key != "vectors"}
    return str(value)[:600]
