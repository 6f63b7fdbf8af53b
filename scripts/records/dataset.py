"""The loop's data set in Argilla: its settings, what it holds, and what is pushed to it."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

import argilla as rg
from argilla._exceptions import ForbiddenError

from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.records.answers import Answer, merge
from scripts.records.convert import QUESTION, RECORD_ID, TEXT, item_to_answer, to_value
from scripts.records.replies import said
from scripts.records.rest import Json, all_users, page_url, read_records, request, upsert
from scripts.records.schema import (
    add_metadata,
    check_labels,
    check_made_here,
    dataset_settings,
    find,
    is_published,
)
from scripts.records.settings import BOT, MOST, ArgillaSettings
from scripts.records.swap import check_not_in_the_making, take_late

# From these settings, labels with descriptions, and length of the embeddings.
MakeSettings = Callable[[ArgillaSettings, dict[str, str], int], rg.Settings]
ORACLE = "simulated-oracle"  # answers from gold labels, in demos, tests and benchmarks
DELETE_MOST = 100  # records that Argilla deletes in one request


class LoopDataset:
    """One Argilla data set, and the only place of the loop that reads or writes it."""

    def __init__(self, client: rg.Argilla, dataset: rg.Dataset, settings: ArgillaSettings) -> None:
        self.client = client
        self.dataset = dataset
        self.settings = settings

    @classmethod
    def open(
        cls,
        client: rg.Argilla,
        settings: ArgillaSettings,
        labels: dict[str, str],
        dim: int | None,
        make: MakeSettings = dataset_settings,
        create: bool = True,
    ) -> "LoopDataset":
        """The data set of the settings.

        labels: label -> description. dim: Length of the embeddings, 0 for records that are not
            the loop's: without embeddings and metadata. None if that is not known.
        make: What it is made of. create: Whether it is made, for which dim must be known.
        RAISES (ProjectError): It has other labels, was made by something else, or is not there.
        """
        workspace, dataset = find(client, settings)
        if dataset is not None and not is_published(dataset):
            if create and dim is not None:
                dataset.delete()
            dataset = None
        if dataset is None:
            check_not_in_the_making(client, settings.dataset, str(workspace.id))
            if not create or dim is None:
                raise ProjectError(
                    f"There is no data set '{settings.dataset}' in Argilla yet.",
                    "Ask the first records: weasel run step",
                )
            dataset = rg.Dataset(
                name=settings.dataset,
                workspace=workspace,
                settings=make(settings, labels, dim),
                client=client,
            ).create()
        else:
            dataset.get()
            check_made_here(dataset, make(settings, labels, dim or 0))
            check_labels(dataset, settings, labels)
            add_metadata(dataset)
        found = cls(client, dataset, settings)
        found.take_late()
        return found

    @property
    def url(self) -> str:
        """Where people label."""
        is_loop = self.dataset.settings.metadata["iteration"] is not None
        return page_url(self.client, self.dataset.id, is_loop)

    def pull(self) -> list[Answer]:
        """Every record of the data set with what people said, oldest first."""
        users = self.user_names()
        answers: list[Answer] = []
        hidden: list[Json] = []
        nobodys: list[str] = []
        for item, _ in self.items(suggestions=False):
            answer = self.to_answer(item, users)
            if answer.status == "waiting" and item["status"] == "completed":
                # Argilla deletes a user's answers with the user.
                if answer.source == "auto":  # the bot's: the text is open again
                    nobodys.append(answer.server_id)
                    continue
                hidden.append({"id": item["id"]})
            answers.append(answer)
        # It goes on hiding these records from the pages until they are touched.
        upsert(self.client, self.dataset.id, hidden)
        self._delete(nobodys)
        return answers

    def items(self, suggestions: bool = True) -> Iterator[tuple[Json, int]]:
        """Every record of a text as the API has it, oldest first, and how many records there are.
        What somebody else has put there is left out, which is said once."""
        foreign = 0
        for item, total in read_records(self.client, self.dataset.id, suggestions):
            if RECORD_ID.fullmatch(str(item["external_id"])):
                yield item, total
            else:
                foreign += 1
        if foreign:
            _warn_of(foreign, str(self.dataset.name))

    def user_names(self) -> dict[str, str]:
        """User id -> user name, of all users of the server, as far as the key may list them. Who
        left the workspace, as the bot may have been made to, said it all the same."""
        try:
            return {str(user["id"]): str(user["username"]) for user in all_users(self.client)}
        except ForbiddenError:
            users = {str(user.id): str(user.username) for user in self.dataset.workspace.users}
            return users | {str(self.client.me.id): str(self.client.me.username)}

    def to_answer(self, item: Json, users: dict[str, str]) -> Answer:
        """What a record says. item: As `items` gives it. users: As `user_names`."""
        return item_to_answer(
            item,
            users=users,
            bot=BOT,
            min_submitted=self.settings.min_submitted,
            multi_label=self.settings.multi_label,
        )

    def answers(self) -> list[Answer]:
        """One answer a text: its rounds together."""
        return self.together(self.pull())

    def together(self, records: Iterable[Answer]) -> list[Answer]:
        """The same of records that were read already."""
        return merge(
            # Older versions put the held-out test set here: nothing may be trained on it.
            (answer for answer in records if answer.source != "test"),
            BOT,
            self.settings.min_submitted,
            self.settings.multi_label,
        )

    def take_late(self) -> None:
        """Bring over answers that people gave where the data set was before its labels changed."""
        take_late(self.client, str(self.dataset.id), str(self.dataset.workspace.id))

    def said(self) -> int:
        """How many answers people have submitted or discarded; quick, as no record is read."""
        return said(self.client, self.dataset.id)

    def moved(self) -> bool:
        """Whether the data set has another name by now, as when its labels were changed."""
        return self.client.api.datasets.get(self.dataset.id).name != self.dataset.name

    def push(self, records: Sequence[rg.Record]) -> None:
        """Upsert records by their id, in one request: the server takes all of them or none.

        A response of a person is never part of it, so none can be overwritten.
        RAISES (ValueError): More records than one request may have.
        """
        if len(records) > MOST:
            raise ValueError(f"{len(records)} records, at most {MOST} fit in one request")
        if records:
            # `records.log` shows a progress bar that cannot be switched off, and splits batches.
            models = self.dataset.records._ingest_records(
                records=list(records), user_id=self.client.me.id
            )
            self.dataset.records._api.bulk_upsert(dataset_id=self.dataset.id, records=models)

    def machine_response(
        self, record: rg.Record, labels: Sequence[str], submitted: bool = True
    ) -> rg.Record:
        """The record with the bot's answer: a machine label, told apart by its user.

        submitted: False makes a draft: it counts for nothing, people see it neither as an answer
            nor as a suggestion, and it says later what the bot would have answered.
        """
        value = to_value(labels, self.settings.multi_label)
        status = "submitted" if submitted else "draft"
        record.responses.add(
            rg.Response(QUESTION, value, user_id=self.user(BOT)["id"], status=status)
        )
        return record

    def my_response(self, record: rg.Record, labels: Sequence[str]) -> rg.Record:
        """The record with an answer of the user whose key is used."""
        value = to_value(labels, self.settings.multi_label)
        me = self.client.me.id
        record.responses.add(rg.Response(QUESTION, value, user_id=me, status="submitted"))
        return record

    def suggest(self, suggestions: Mapping[str, rg.Suggestion]) -> None:
        """Replace suggestions; all else of the records stays as it is.

        suggestions: Server's id of a record -> its suggestion, at most as many as a request takes.
        """
        question = self.dataset.settings.questions[QUESTION].id
        items = [
            {
                "id": id_,
                "suggestions": [
                    {
                        "question_id": str(question),
                        "value": new.value,
                        "score": new.score,
                        "agent": new.agent,
                    }
                ],
            }
            for id_, new in suggestions.items()
        ]
        # The SDK would send empty metadata with them, which replace what is there.
        upsert(self.client, self.dataset.id, items)

    def withdraw(self, answers: Sequence[Answer]) -> None:
        """Take the bot's answers back: their records go, and the texts are open again. A record
        that a person has answered since stays."""
        ids = {answer.id for answer in answers}
        if not ids:
            return
        self._delete([a.server_id for a in self.pull() if a.id in ids and a.status == "machine"])

    def _delete(self, server_ids: Sequence[str]) -> None:
        path = f"/datasets/{self.dataset.id}/records"
        for start in range(0, len(server_ids), DELETE_MOST):
            ids = ",".join(server_ids[start : start + DELETE_MOST])
            request(self.client, "DELETE", path, params={"ids": ids})

    def doubted(self, answer: Answer) -> rg.Record:
        """The record with the bot's answer as a draft, so that it waits for a person."""
        record = rg.Record(
            id=answer.id,
            fields={TEXT: answer.text},
            metadata={"iteration": answer.iteration, "source": "review"},
        )
        return self.machine_response(record, answer.machine or (), submitted=False)

    def again(self, answer: Answer, iteration: int) -> rg.Record:
        """A new record of the same text, without a suggestion: nobody's answer is taken back."""
        return rg.Record(
            id=f"{answer.text_id}-{answer.round + 1}",
            fields={TEXT: answer.text},
            metadata={"iteration": iteration, "source": "review"},
        )

    def respond(self, answer: Answer, labels: Sequence[str], username: str) -> None:
        """Submit a response as the annotation page does, with the user's own key."""
        value = to_value(labels, self.settings.multi_label)
        request(
            self.client,
            "POST",
            f"/records/{answer.server_id}/responses",
            json={"status": "submitted", "values": {QUESTION: {"value": value}}},
            headers={"X-Argilla-Api-Key": self.user(username)["api_key"]},
        )

    @cache  # noqa: B019  # one data set a process
    def user(self, username: str) -> dict[str, str]:
        """An annotator of the workspace with its id and API key; made if it is not there yet."""
        if username not in self._users():
            rg.User(
                username=username,
                first_name=username,
                role="annotator",
                # Nobody signs in as this user: its password is random and kept nowhere.
                password=secrets.token_urlsafe(24),
                client=self.client,
            ).create()
        # Also where its making was cut short: the bot's answers would count as a person's.
        if username not in {user.username for user in self.dataset.workspace.users}:
            user = self.client.users(username)
            assert user is not None
            user.add_to_workspace(self.dataset.workspace)
        return self._users()[username]

    def _users(self) -> dict[str, dict[str, str]]:
        return {user["username"]: user for user in all_users(self.client)}


@cache  # once a command, which reads the records many times
def _warn_of(foreign: int, dataset: str) -> None:
    msg.warn(
        f"{count(foreign, 'record')} of Argilla's data set '{dataset}' left out: not put there by "
        "this project.",
        "Their ids are not made from their texts. To have a text asked, add it to the data, then: "
        "weasel run prepare",
    )
