"""How the votes on a record become one answer."""

import pytest

from scripts.records.answers import Answer, Status, Vote, merge, resolve

BOT = "classy-bot"
A, B, C = (Vote(user, ("sport",)) for user in "abc")
TECH = Vote("d", ("tech",))
NO = Vote("e", (), discarded=True)
NO2 = Vote("f", (), discarded=True)
MACHINE = Vote(BOT, ("tech",))


@pytest.mark.parametrize(
    ("votes", "min_submitted", "expected"),
    [
        ([], 1, ("waiting", ())),
        ([A], 1, ("labelled", ("sport",))),
        ([A], 2, ("waiting", ())),
        ([A, B, TECH], 3, ("labelled", ("sport",))),
        ([A, TECH], 2, ("tied", ())),
        ([NO], 1, ("discarded", ())),
        ([A, NO], 2, ("discarded", ())),
        ([A, B, NO], 3, ("labelled", ("sport",))),
        ([NO], 2, ("waiting", ())),
        # the bot: alone it is a machine label, beside a person it has no say
        ([MACHINE], 1, ("machine", ("tech",))),
        ([MACHINE, A], 1, ("labelled", ("sport",))),
        ([MACHINE, A], 2, ("labelled", ("sport",))),
        ([MACHINE, NO], 1, ("discarded", ())),
    ],
)
def test_exclusive_labels(votes: list[Vote], min_submitted: int, expected: tuple) -> None:
    assert resolve(votes, BOT, min_submitted, multi_label=False) == expected


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([Vote("a", ("x", "y")), Vote("b", ("x", "y"))], ("labelled", ("x", "y"))),
        ([Vote("a", ("x", "y")), Vote("b", ("x",))], ("tied", ())),
        ([Vote("a", ("x", "y")), Vote("b", ("x",)), Vote("c", ("z",))], ("labelled", ("x",))),
        ([Vote("a", ())], ("labelled", ())),  # none of them
        ([Vote("a", ("x",)), Vote("b", ()), Vote("c", ())], ("labelled", ())),
        ([Vote("a", ("x",)), Vote("b", ("y",)), Vote("c", ("z",))], ("tied", ())),  # nobody said so
        ([Vote("a", ("x",), unclear=True)], ("tied", ())),  # none of them and x: asked again
        ([Vote("a", ("x",), unclear=True), Vote("b", ("y",))], ("labelled", ("y",))),
    ],
)
def test_several_labels_a_text(votes: list[Vote], expected: tuple) -> None:
    assert resolve(votes, BOT, len(votes), multi_label=True) == expected


def test_what_a_user_said_last_counts_in_whatever_round() -> None:
    votes = [Vote("a", ("sport",), at="2026-01-03"), Vote("a", ("tech",), at="2026-01-02")]
    rounds = [record("x", "labelled", votes[0]), record("x-2", "labelled", votes[1])]
    (found,) = merge(rounds, BOT, 1, multi_label=False)
    assert (found.labels, found.votes) == (("sport",), (votes[0],))


def record(id_: str, status: Status, *votes: Vote) -> Answer:
    round_ = int(id_.partition("-")[2] or 1)
    return Answer(id_, "text", status, (), round_, "query", votes, round=round_)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ((), "waiting"),
        ((Vote("a", ("tech",)), Vote("b", ("tech",))), "labelled"),  # both think again
        ((Vote("c", ("tech",)), Vote("e", ("tech",))), "labelled"),  # two more people
        ((Vote("a", ("sport",)), Vote("d", ("tech",))), "tied"),  # they stay as they were
    ],
)
def test_a_tie_is_asked_again_and_all_votes_count(
    second: tuple[Vote, ...], expected: Status
) -> None:
    first = record("x", "tied", A, TECH)
    again = record("x-2", "labelled" if second else "waiting", *second)
    other = record("y", "labelled", A, B)
    found = merge([first, other, again], BOT, 2, multi_label=False)
    assert [(a.id, a.status) for a in found] == [("x", expected), ("y", "labelled")]
    assert found[0].iteration == 2
    if expected == "labelled":
        assert found[0].labels == ("tech",)
