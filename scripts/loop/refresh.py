"""Records that wait get the suggestions of the newest model."""

from scripts.loop.assess import train_on_all, trainable
from scripts.loop.learner import Learner
from scripts.loop.settings import LoopSettings
from scripts.records.answers import Answers
from scripts.records.convert import suggestion
from scripts.records.dataset import MOST, LoopDataset


def agent(iteration: int, trained: bool) -> str:
    """How Argilla calls the model of a step."""
    return f"classy_textcat-{'trained' if trained else 'zero-shot'}-{iteration:03d}"


def refresh(dataset: LoopDataset, learner: Learner, answers: Answers, loop: LoopSettings) -> None:
    """Give the waiting records what a model says that is trained on all answers; nothing before
    there are answers to train on."""
    waiting = [answer for answer in answers.waiting if not answer.blind][:MOST]
    if not waiting or not trainable(answers.labelled):
        return
    train_on_all(learner, answers, loop)
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
