"""Does a loop end as if nothing had happened, however often its parts are killed?

python -m tests.chaos --kills 200 --seed 0 --minutes 20
"""

import os
import shutil
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from scripts.argilla_server.install import VENV_VARIABLE
from tests.loop.disturbed import Chaos, Outcome
from tests.small_data import prepare_corpus, read_headlines, write_pipelines

ROOT = Path(__file__).parents[1]


def main(
    kills: Annotated[int, typer.Option(help="SIGKILLs")] = 200,
    seed: Annotated[int, typer.Option(help="Of what is killed, and when")] = 0,
    minutes: Annotated[float, typer.Option(help="After which nothing more is killed")] = 20,
    budget: Annotated[int, typer.Option(help="Answers a loop")] = 80,
    pace: Annotated[float, typer.Option(help="Mean seconds between two kills")] = 2.0,
) -> None:
    """Kill `live`, the server, its worker and Redis at random, and compare the end record by record
    with that of a loop that was not disturbed. Logs are kept where something was wrong."""
    os.environ.setdefault(VENV_VARIABLE, str(ROOT / ".argilla" / "venv"))
    for name in ("ARGILLA_API_URL", "ARGILLA_API_KEY"):
        os.environ.pop(name, None)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    with (
        (folder / "chaos.log").open("w") as log,
        redirect_stdout(log),
        tqdm(total=kills, unit=" kills") as bar,
    ):
        pipelines = write_pipelines(ROOT / "assets" / "encoder", folder)
        chaos = Chaos(
            folder,
            prepare_corpus(read_headlines(), folder),
            pipelines / "textcat.cfg",
            budget=budget,
            pace=pace,
            seed=seed,
            on_kill=lambda _: bar.update(),
        )
        outcome = chaos.run(kills, 60 * minutes)
    say(outcome)
    if outcome.wrong:
        print(f"The logs: {folder}")
        raise typer.Exit(1)
    shutil.rmtree(folder)


def say(outcome: Outcome) -> None:
    killed = ", ".join(f"{name} {n}" for name, n in outcome.kills.most_common())
    print(f"{outcome.kills.total()} kills: {killed}")
    print(
        f"{outcome.server_starts} starts of the server ({len(outcome.starts_cut_short)} of them cut"
        f" short), {outcome.live_starts} of live"
    )
    print(
        f"{outcome.acknowledged} answers acknowledged, {outcome.unsure} whose acknowledgement was"
        f" lost, {outcome.failures} requests failed"
    )
    print("\n".join(outcome.loops))
    print("\n".join(outcome.wrong) or "All is there and unchanged, and nothing is left behind")


if __name__ == "__main__":
    typer.run(main)
