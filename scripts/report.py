"""What each step of the loop was worth, replayed from the labels that Argilla holds."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.errors import ProjectError
from scripts.data.corpus import read_gold, read_labels
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    output: Annotated[Path, typer.Argument(help="CSV file to write", dir_okay=False)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Print and write a table of the steps: labels by people, what the machine may answer, how much
    is promised to be wrong at most, and test scores. Beside it, as report.html, write a page with
    all there is to see."""
    settings = load_settings(config, ctx.args)
    test_path = settings.paths.corpus / "test.spacy"
    from scripts.loop.found import take_found
    from scripts.loop.session import open_loop
    from scripts.records.answers import Answers

    with open_loop(settings, make=False) as (dataset, learner, pool):
        take_found(dataset)
        answers = dataset.answers()
        if not answers:
            raise ProjectError("There is nothing to report yet.", "Run a step: weasel run step")
        from scripts.data.docbins import read_gold_texts
        from scripts.loop.replay import replay, worth
        from scripts.loop.steps_table import show_end, show_steps, show_worth, write_steps
        from scripts.reporting.gather import Steps, gather
        from scripts.reporting.page import write

        labels, several = read_labels(settings.paths.corpus), settings.argilla.multi_label
        test = read_gold_texts(test_path, labels, several) if test_path.exists() else None
        # Of data with gold labels; the others have nothing to draw at random.
        simulated = (settings.paths.corpus / "oracle.jsonl").exists()
        gold = read_gold(settings.paths.corpus) if simulated else {}
        rows = replay(answers, learner, pool, test, settings.loop, gold)
        brought = worth(rows, learner, pool, gold, test) if test else []
        steps = Steps(rows, brought, bool(gold), test)
        loop = dataset, learner, pool
        found = gather(loop, Answers(answers), steps, settings, (config, ctx.args))
    write_steps(rows, several, output)
    page = output.with_name("report.html")
    write(found, page)
    show_steps(rows, several, bool(gold))
    users = sorted({vote.user for answer in answers for vote in answer.votes})
    msg.text(f"Answers by: {', '.join(users)}")
    if test is None:
        msg.info(f"No test scores: there is no {test_path}")
    msg.good(f"Written to {output}, and as a page to {page}")
    if test and brought:
        show_worth(brought, len(test[0]))
    show_end(rows[-1])


if __name__ == "__main__":
    run(main)
