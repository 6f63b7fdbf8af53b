"""Records that wait get the suggestions of the newest model."""

from scripts.loop.learner import Learner
from scripts.records.answers import Answer, Answers
from scripts.records.convert import suggestion
from scripts.records.dataset import MOST, LoopDataset


def agent(iteration: int, trained: bool) -> str:
    """How Argilla calls the model of a step."""
    return f"classy_textcat-{'trained' if trained else 'zero-shot'}-{iteration:03d}"


def refresh(dataset: LoopDataset, learner: Learner, answers: Answers) -> None:
    """Give the waiting records what the model says now.

    learner: Trained on all answers.
    """
    waiting = [answer for answer in answers.waiting if not blind(answer)][:MOST]
    if not waiting:
        return
    probs = learner.predict(learner.embed([answer.text for answer in waiting]))
    name = agent(answers.next_iteration, trained=True)
    dataset.suggest(
        {
            answer.server_id: suggestion(
                dict(zip(learner.labels, row, strict=True)), name, learner.label_threshold
            )
            for answer, row in zip(waiting, probs.tolist(), strict=True)
        }
    )


def blind(answer: Answer) -> bool:
    """Whether people are to answer unswayed: they check the machine, or each other."""
    return answer.machine is not None or answer.source == "audit" or answer.round > 1
