"""What people (and the bot) said about a record, resolved to one answer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

Status = Literal["labelled", "machine", "discarded", "tied", "waiting"]
# A text on which people still disagree evenly after so many rounds is left out of training.
MOST_ROUNDS = 3


@dataclass(frozen=True)
class Vote:
    """One user's response. labels is empty for a discard (and, in multi-label data, for
    "none of them"). unclear: "None of them" was chosen together with a label. at: When it was
    given, by the server's clock, in ISO 8601."""

    user: str
    labels: tuple[str, ...]
    discarded: bool = False
    unclear: bool = False
    at: str = field(default="", compare=False)


class Chance(NamedTuple):
    """How a text was drawn, as active_learning.draw.Drawn says it: the probability of the draw,
    from how many open texts, and the share of the draw that may fall anywhere."""

    chance: float
    open: int
    anywhere: float


@dataclass(frozen=True)
class Answer:
    """One record of the loop as Argilla has it; after `merge`, one text.

    id: The text's id; a text that is asked again has a record of its own, "<id>-2" and so on.
    status: labelled (people agree), machine (only the bot has answered), discarded (never trained
        on, never asked again), tied (people disagree evenly), waiting (not enough answers yet).
    labels: The label, or in multi-label data any number of labels; empty while waiting.
    machine: What the bot has answered or, where a person is to check it, has drafted; None where it
        has said nothing.
    drawn: By which chance the text was drawn; None if it was chosen, given or found.
    first: The iteration that asked for the first time, where the text is asked again.
    """

    id: str
    text: str
    status: Status
    labels: tuple[str, ...]
    iteration: int
    source: str
    votes: tuple[Vote, ...] = ()
    machine: tuple[str, ...] | None = None
    server_id: str = ""
    round: int = 1
    drawn: Chance | None = None
    first: int | None = None

    @property
    def text_id(self) -> str:
        return self.id.partition("-")[0]

    @property
    def blind(self) -> bool:
        """Whether people answer it without a suggestion: it checks the machine, or is asked again
        (a tied one at the next step)."""
        if self.status == "tied":
            return True
        checks = self.machine is not None or self.source in ("audit", "review")
        return self.status == "waiting" and (checks or self.round > 1)

    @property
    def asked_in(self) -> int:
        """The iteration that drew the text."""
        return self.iteration if self.first is None else self.first


@dataclass(frozen=True)
class Answers:
    """One answer a text, by status."""

    all: list[Answer]
    labelled: list[Answer] = field(init=False)
    machine: list[Answer] = field(init=False)
    tied: list[Answer] = field(init=False)
    waiting: list[Answer] = field(init=False)

    def __post_init__(self) -> None:
        for status in ("labelled", "machine", "tied", "waiting"):
            found = [answer for answer in self.all if answer.status == status]
            object.__setattr__(self, status, found)

    @property
    def by_people(self) -> int:
        """Texts that people have dealt with, each as often as it was asked: what a budget of
        labels is spent on."""
        return sum(a.round for a in self.all if a.status not in ("machine", "waiting"))

    @property
    def unfinished(self) -> set[int]:
        """Iterations of which a draw waits for an answer or is to be asked again. Until it is
        there, the others of that batch prove nothing: those that people answer first, or agree
        about, are no fair sample of it."""
        return {a.asked_in for a in [*self.waiting, *self.again] if a.drawn}

    @property
    def again(self) -> list[Answer]:
        """Those on which people disagree evenly, and have not been asked too often."""
        return [answer for answer in self.tied if answer.round < MOST_ROUNDS]

    @property
    def next_iteration(self) -> int:
        """Of the next step. The bot's answers do not count: people's questions end a step."""
        asked = (answer.iteration for answer in self.all if answer.status != "machine")
        return 1 + max(asked, default=-1)


def as_value(labels: Sequence[str], multi_label: bool) -> str | list[str] | None:
    """A text's labels for a file: a list where there may be several, else the one, or None."""
    return list(labels) if multi_label else next(iter(labels), None)


def resolve(
    votes: Sequence[Vote], bot: str | None, min_submitted: int, multi_label: bool
) -> tuple[Status, tuple[str, ...]]:
    """Majority of the people's votes; the bot counts only where no person has said anything.

    votes: Submitted and discarded responses, at most one a user. Drafts are no votes.
    bot: The name of the user that gives the machine's answers.
    min_submitted: Votes that a record needs before it counts.
    RETURNS: The status and the labels (empty unless "labelled" or "machine").
    """
    people = [vote for vote in votes if vote.user != bot]
    if not people:
        machine = [vote for vote in votes if not vote.discarded]
        return ("machine", machine[0].labels) if machine else ("waiting", ())
    # A bot's response counts towards Argilla's own min_submitted, so it hides the record from
    # the queue one person earlier.
    if len(people) < min_submitted - (len(votes) - len(people)):
        return "waiting", ()
    submitted = [vote for vote in people if not vote.discarded]
    if 2 * len(submitted) <= len(people):
        return "discarded", ()
    # An unclear vote says nothing; a text that has no other is asked again, as after a tie.
    submitted = [vote for vote in submitted if not vote.unclear]
    if not submitted:
        return "tied", ()
    counts = Counter(label for vote in submitted for label in vote.labels)
    if multi_label:
        if any(2 * n == len(submitted) for n in counts.values()):
            return "tied", ()
        most = tuple(sorted(c for c, n in counts.items() if 2 * n > len(submitted)))
        # Three who choose three labels have not said that none fits.
        none = sum(not vote.labels for vote in submitted)
        return ("labelled", most) if most or 2 * none > len(submitted) else ("tied", ())
    ranked = counts.most_common(2)
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
        return "tied", ()
    return "labelled", (ranked[0][0],)


def merge(
    answers: Iterable[Answer], bot: str | None, min_submitted: int, multi_label: bool
) -> list[Answer]:
    """One answer a text: the votes of its rounds together, where a user's later vote replaces the
    earlier one, in whatever round it is. A text with a round that waits for votes is waiting. In
    order of the first round.
    """
    rounds: dict[str, list[Answer]] = {}
    for answer in answers:
        rounds.setdefault(answer.text_id, []).append(answer)
    merged = []
    for group in rounds.values():
        group.sort(key=lambda answer: answer.round)
        first, last = group[0], group[-1]
        votes: dict[str, Vote] = {}
        for vote in (vote for answer in group for vote in answer.votes):
            if vote.user not in votes or vote.at >= votes[vote.user].at:
                votes[vote.user] = vote
        status, labels = resolve(list(votes.values()), bot, min_submitted, multi_label)
        if len(group) > 1 and any(answer.status == "waiting" for answer in group):
            status, labels = "waiting", ()
        merged.append(
            replace(
                last,
                id=first.id,
                status=status,
                labels=labels,
                source=first.source,
                machine=first.machine,
                drawn=first.drawn,
                first=first.iteration if len(group) > 1 else None,
                votes=tuple(votes.values()),
            )
        )
    return merged
