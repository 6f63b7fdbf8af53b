"""SIGKILL at any moment: the next run goes on, and no row is lost or written twice."""

import multiprocessing
import random
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import srsly

from scripts.cli.errors import ProjectError
from scripts.scoring.model import Model
from scripts.scoring.plan import held
from scripts.scoring.run import score_files
from scripts.scoring.settings import Settings
from tests.scoring.conftest import made_up, rows_of

SETTINGS = Settings("text", rows_per_part=100, batch_size=50)
ROWS = 1200


def score(source: str, output: str, model: str) -> None:
    score_files(source, Path(output), Model(model, batch_size=50), SETTINGS)


def test_killed_again_and_again(bow: Path, tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    rows = made_up(ROWS)
    pq.write_table(pa.Table.from_pylist(rows[:600]), folder / "a.parquet")
    srsly.write_jsonl(folder / "b.jsonl", rows[600:])
    model = Model(str(bow), batch_size=50)
    begin = time.perf_counter()
    score_files(str(folder), tmp_path / "undisturbed", model, SETTINGS)
    parts = list((tmp_path / "undisturbed").glob("*.parquet"))
    a_part = (time.perf_counter() - begin) / len(parts)
    # A process of its own for each run, forked from one that has imported everything.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["scripts.scoring.run", "spacy.pipeline"])
    rng = random.Random(0)
    killed: list[int] = []
    process = None
    while len(killed) < 12:
        process = server.Process(target=score, args=(str(folder), str(output), str(bow)))
        process.start()
        # At any moment of looking, scoring or writing, after none to three more parts.
        aim = (killed[-1] if killed else 0) + rng.randint(0, 3)
        while process.is_alive() and len(list(output.glob("*.parquet"))) < aim:
            time.sleep(0.001)
        process.join(rng.uniform(0, a_part))
        if not process.is_alive():
            break
        process.kill()
        process.join()
        killed.append(len(list(output.glob("*.parquet"))))
    assert process is not None
    if process.exitcode:  # so often that it has not come to its end
        score(str(folder), str(output), str(bow))
    assert any(0 < done < len(parts) for done in killed), killed
    assert rows_of(output) == rows_of(tmp_path / "undisturbed")
    assert [row["id"] for row in rows_of(output)] == list(range(ROWS))
    assert not list(output.rglob("*.unfinished"))


def test_one_command_at_a_time(tmp_path: Path, bow: Path) -> None:
    srsly.write_jsonl(tmp_path / "a.jsonl", made_up(5))
    with held(tmp_path / "out"), pytest.raises(ProjectError, match="Another command writes to"):
        score(str(tmp_path / "a.jsonl"), str(tmp_path / "out"), str(bow))
