"""On a cluster of two nodes with one CPU each, on this machine: the same rows as without."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import srsly

from scripts.cli.errors import ProjectError
from scripts.scoring.model import Model
from scripts.scoring.on_ray import cluster, room_for, score_on_ray
from scripts.scoring.plan import Plan, make_plan
from scripts.scoring.run import score_files
from scripts.scoring.settings import Settings
from tests.scoring.conftest import made_up, rows_of

SETTINGS = Settings("text", rows_per_part=50, batch_size=16)


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[None]:
    # Ray reads both when it is imported, see `cluster`.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_AUTO_CONNECT="0")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 10**8, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=node)
    nodes.add_node(num_cpus=1, object_store_memory=10**8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", nodes.address)
        yield
    nodes.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine parts of three kinds of files."""
    folder = tmp_path / "in"
    folder.mkdir()
    rows = made_up(430)
    pq.write_table(pa.Table.from_pylist(rows[:200]), folder / "a.parquet")
    srsly.write_jsonl(folder / "b.jsonl", rows[200:400])
    (folder / "c.csv").write_text(
        "id,text\n" + "".join(f"{r['id']},{r['text']}\n" for r in rows[400:])
    )
    return folder


def plan_of(folder: Path, output: Path, model: Model) -> Plan:
    output.mkdir()
    return make_plan(str(folder), output, model, SETTINGS)


def test_the_same_rows_come_out_whatever_happens_to_the_workers(
    two_nodes: None, folder: Path, bow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the cluster does not run
    model = Model(str(bow), threads=1, batch_size=16)
    _, here = score_files(str(folder), tmp_path / "here", model, SETTINGS)
    plan = plan_of(Path("in"), Path("there"), model)
    processes: list[int] = []
    with cluster() as cpus:
        assert cpus == [1, 1]
        for rows, process in score_on_ray(plan.waiting, model, 2, parts_per_worker=3):
            assert rows in (50, 30)
            processes.append(process)
            if len(processes) == 1:
                os.kill(process, signal.SIGKILL)
    assert len(processes) == len(plan.jobs) == 9
    # Two, one for the killed one, and others for the parts after the sixth.
    assert len(set(processes)) >= 4
    assert rows_of(tmp_path / "there") == rows_of(tmp_path / "here")
    # What is done is not done again.
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "there").glob("*.parquet")}
    (tmp_path / "there" / "b-00002.parquet").unlink()
    plan, there = score_files("in", Path("there"), model, SETTINGS, on_ray=True)
    assert [job.target.name for job in plan.waiting] == ["b-00002.parquet"]
    assert there == here
    assert rows_of(tmp_path / "there") == rows_of(tmp_path / "here")
    changed = [path.name for path, at in times.items() if path.stat().st_mtime_ns != at]
    assert changed == ["b-00002.parquet"]


def test_what_a_worker_cannot_do_is_said_plainly(
    two_nodes: None, folder: Path, bow: Path, bow_multi: Path, tmp_path: Path
) -> None:
    model = Model(str(bow), threads=1, batch_size=16)
    plan = plan_of(folder, tmp_path / "out", model)
    (folder / "b.jsonl").write_text('{"text": \n' * 400)
    with cluster(), pytest.raises(ProjectError, match=r"b.jsonl, line 1 is no JSON"):
        list(score_on_ray(plan.jobs[4:], model, 1))
    other = Model(str(bow), threads=1, batch_size=16)
    other.fingerprint = "another"
    with cluster(), pytest.raises(ProjectError, match=r"A worker has another .*bow"):
        list(score_on_ray(plan.jobs[:1], other, 1))


def test_no_more_workers_than_there_is_room_for() -> None:
    assert room_for([4, 3, 1], 2, 0) == 3
    assert room_for([4, 3, 1], 2, 2) == 2
    assert room_for([4], 1, 9) == 4
    with pytest.raises(ProjectError, match=r"A worker takes 2 CPUs; the largest .* has 1"):
        room_for([1, 1], 2, 0)


def test_without_ray(
    folder: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ProjectError, match="Ray is not installed") as err:
        score_files(str(folder), tmp_path / "out", model, SETTINGS, on_ray=True)
    assert "pip install -r requirements-ray.txt" in err.value.hint
