"""The end of the loop: the machine answers what it may, and the rest is listed as open."""

from pathlib import Path
from typing import Annotated

import srsly
import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import count, rests_on
from scripts.data.whole import written_whole
from scripts.loop.settings import load_settings


def main(
    ctx: typer.Context,
    output: Annotated[Path, typer.Argument(help="JSONL file to write", dir_okay=False)],
    config: Annotated[Path, typer.Option(help="Settings of the loop")] = Path("configs/loop.cfg"),
) -> None:
    """Let the machine answer all that the promise allows, list what is left open, and say what is
    promised. You can go on labelling afterwards, and finish again."""
    settings = load_settings(config, ctx.args)
    promise = settings.loop.promise
    from scripts.active_learning.plan import in_words
    from scripts.loop.finish import finish, promised
    from scripts.loop.machine import TEAM
    from scripts.loop.session import open_loop

    with open_loop(settings, make=False) as (dataset, learner, pool):
        done = finish(dataset, learner, pool, settings)
    with written_whole(output) as part:
        srsly.write_jsonl(part, done.texts)
    # For the package of a pipeline that is trained on just these labels.
    promise_file = output.with_name("promise.json")
    promise_file.unlink(missing_ok=True)
    if words := promised(done, promise):
        with written_whole(promise_file) as part:
            srsly.write_json(part, words)
    discarded = done.by("discarded")
    msg.good(
        f"{count(len(done.texts), 'text')}: {done.by('people')} labelled by people, "
        f"{done.by('machine')} by machine, {done.by('open')} open"
        + (f", {discarded} discarded" if discarded else "")
    )
    for line in in_words(done.machine, promise):
        msg.text(f"- {line}")
    if settings.argilla.min_submitted > 1 and done.by("machine"):
        msg.text(f"- {TEAM}")
    if words:
        msg.text(f"- {rests_on(done.machine.proving)}")
    if done.by("open"):
        msg.text(
            "- open texts have no label in the file, but what the model thinks of them: label on "
            "with `weasel run step`, or leave them out"
        )
    msg.good(f"Written to {output}")


if __name__ == "__main__":
    run(main)
