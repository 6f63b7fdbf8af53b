"""An annotator who knows the right labels and loses no answer, whatever becomes of the server."""

import contextlib
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any, NamedTuple

import httpx

from scripts.records.convert import QUESTION
from scripts.records.dataset import ORACLE

PAGE = 100  # records that it sees at once; more than a queue has
PAUSE = 0.2  # seconds between two attempts


def _by(metadata: str, order: str) -> dict[str, Any]:
    return {"scope": {"entity": "metadata", "metadata_property": metadata}, "order": order}


def _pending(entity: str) -> dict[str, Any]:
    scope = {"entity": entity, "property": "status"}
    return {"type": "terms", "scope": scope, "values": ["pending"]}


# As the page asks, with the order of the address at which people label.
SEARCH = {
    "filters": {"and": [_pending("response"), _pending("record")]},
    "sort": [_by("iteration", "asc"), _by("uncertainty", "desc")],
}


class Waits(NamedTuple):
    """A record that waits. server_id: As the server calls it."""

    id: str
    server_id: str
    iteration: int


class Oracle:
    """Answers through the API with a user's own key, as the page does.

    gold: text id -> labels. budget: Answers in all.
    batch: Answers after which it waits until the next step's questions have come, so that what
        each step knows does not depend on who was faster; 0 to answer whatever there is.
    acknowledged: Record id -> label, of the answers that the server acknowledged.
    unsure: The same of those that had been taken when they were sent again: the server had them,
        but what it said to that was lost.
    """

    def __init__(
        self,
        credentials: tuple[str, str],
        dataset: str,
        gold: Mapping[str, Sequence[str]],
        budget: int,
        batch: int = 0,
    ) -> None:
        url, key = credentials
        self.client = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"X-Argilla-Api-Key": key},
            timeout=30,
            trust_env=False,
        )
        self.dataset, self.gold, self.budget, self.batch = dataset, gold, budget, batch
        self.acknowledged: dict[str, str] = {}
        self.unsure: dict[str, str] = {}
        self.failures = 0  # requests without an answer, or with the server's own fault
        self.end = Event()
        self._newest, self._until = -1, 0

    @property
    def answered(self) -> int:
        return len(self.acknowledged) + len(self.unsure)

    def waiting(self) -> list[Waits]:
        """What it sees, in the page's order."""
        datasets = self._send("GET", "/me/datasets")["items"]
        ids = [d["id"] for d in datasets if d["name"] == self.dataset and d["status"] == "ready"]
        if not ids:
            return []
        path, params = f"/me/datasets/{ids[0]}/records/search", {"limit": PAGE}
        items = self._send("POST", path, json=SEARCH, params=params)["items"]
        records = [item["record"] for item in items]
        return [Waits(r["external_id"], r["id"], r["metadata"]["iteration"]) for r in records]

    def answer(self) -> int:
        """Answer what it may of what waits now. RETURNS: How many records."""
        waiting = self.waiting()
        newest = max((one.iteration for one in waiting), default=-1)
        if newest > self._newest:
            self._newest, self._until = newest, self.answered + self.batch
        if self.batch and self.answered + len(waiting) < self.budget:
            waiting = waiting[: max(self._until - self.answered, 0)]
        for one in waiting:
            self._submit(one)
        return len(waiting)

    def run(self) -> None:
        """Answer until the budget is spent, or the end is set."""
        with contextlib.suppress(InterruptedError):
            while self.answered < self.budget:
                if not self.answer():
                    self._pause()

    def _submit(self, one: Waits) -> None:
        seen = self.acknowledged.keys() | self.unsure.keys()
        assert one.id not in seen, f"{one.id} is shown again"
        (label,) = self.gold[one.id.partition("-")[0]]
        body = {"status": "submitted", "values": {QUESTION: {"value": label}}}
        before = self.failures
        said = self._send("POST", f"/records/{one.server_id}/responses", json=body, twice=True)
        # Only where an answer to the request got lost may the record be answered already.
        assert said is not None or self.failures > before, f"{one.id} was answered already"
        (self.unsure if said is None else self.acknowledged)[one.id] = label

    def _send(self, method: str, path: str, twice: bool = False, **options: Any) -> Any:
        """What the server says, after as many attempts as it takes; None for a conflict with an
        earlier attempt, where `twice` allows one.

        RAISES (InterruptedError): The end is set. (AssertionError): The server refuses it.
        """
        while True:
            with contextlib.suppress(httpx.TransportError):
                reply = self.client.request(method, path, **options)
                if reply.is_success:
                    return reply.json()
                if twice and reply.status_code == 409:
                    return None
                assert reply.is_server_error, f"{path}: {reply.status_code} {reply.text}"
            self.failures += 1
            self._pause()

    def _pause(self) -> None:
        if self.end.wait(PAUSE):
            raise InterruptedError


def oracle_key(dataset: Any) -> str:
    """The key of the oracle's user, who is made if need be. dataset: A LoopDataset."""
    key: str = dataset.user(ORACLE)["api_key"]
    return key
