"""What people (and the bot) said about a record, resolved to one answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["labelled", "machine", "discarded", "tied", "waiting"]


@dataclass(frozen=True)
class Vote:
    """One user's response. labels is empty for a discard (and, in multi-label data, for
    "none of them")."""

    user: str
    labels: tuple[str, ...]
    discarded: bool = False


@dataclass(frozen=True)
class Answer:
    """One record of the loop as Argilla has it.

    status: labelled (people agree), machine (only the bot has answered), discarded (never trained
        on, never asked again), tied (people disagree evenly), waiting (not enough answers yet).
    labels: The label, or in multi-label data the labels; empty while waiting.
    machine: What the bot has answered or, where a person is to check it, has drafted.
    """

    id: str
    text: str
    status: Status
    labels: tuple[str, ...]
    iteration: int
    source: str
    votes: tuple[Vote, ...] = ()
    machine: tuple[str, ...] = ()
    server_id: str = ""


def resolve(
    votes: Sequence[Vote], bot: str | None, min_submitted: int, multi_label: bool
) -> tuple[Status, tuple[str, ...]]:
    """Majority of the people's votes; the bot counts only where no person has said anything.

    votes: Submitted and discarded responses, at most one a user. Drafts are no votes.
    bot: The name of the user that validates automatically.
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
    counts = Counter(label for vote in submitted for label in vote.labels)
    if multi_label:
        if any(2 * n == len(submitted) for n in counts.values()):
            return "tied", ()
        return "labelled", tuple(sorted(c for c, n in counts.items() if 2 * n > len(submitted)))
    ranked = counts.most_common(2)
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
        return "tied", ()
    return "labelled", (ranked[0][0],)
