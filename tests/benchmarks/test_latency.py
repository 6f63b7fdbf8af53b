from pathlib import Path

import argilla as rg
import pandas as pd
import pytest

from scripts.argilla_server.manage import Credentials
from scripts.benchmarks.latency import FULL, OURS, table
from scripts.benchmarks.loop_commands import latency
from scripts.benchmarks.tutorial_step import NEXT, WHOLE
from scripts.cli.errors import ProjectError


def test_live_and_the_tutorials_loop_are_timed_on_the_same_pool(
    argilla_server: Credentials,
    headlines: list[dict[str, str]],
    pipelines: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ARGILLA_API_URL", argilla_server.api_url)
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    client = rg.Argilla(api_url=argilla_server.api_url, api_key=argilla_server.api_key)

    def left() -> set[str]:
        hooks = {str(hook.url) for hook in client.webhooks}
        return hooks | {str(dataset.name) for dataset in client.datasets}

    before = left()
    data, output = tmp_path / "data.csv", tmp_path / "latency.csv"
    pd.DataFrame(headlines).to_csv(data, index=False)
    how = {
        "labels": 20,
        "pace": 0.0,
        "pipeline": str(pipelines / "textcat.cfg"),
        "cache": tmp_path / "cache",
        "output": output,
    }
    with pytest.raises(ProjectError, match="180 labelled texts, fewer than 1000"):
        latency([str(data)], sizes="1000", rounds="1", **how)
    latency([str(data)], sizes="100", rounds="1", batches=2, **how)
    rows = pd.read_csv(output)
    assert rows["what"].tolist() == [OURS, FULL, WHOLE, NEXT]
    assert rows["batches"].tolist() == [2, 2, 1, 1]
    assert set(rows["texts in the pool"]) == {100}
    ours, full, *theirs = rows["median (s)"]
    assert 0 < ours <= full
    assert min(theirs) > 0
    assert left() == before


def test_the_ratio_is_that_of_the_medians() -> None:
    rows = table(1000, {OURS: [0.5, 9.0, 0.4], FULL: [9.0], WHOLE: [10.0], NEXT: []})
    assert [row["what"] for row in rows] == [OURS, FULL, WHOLE]
    assert [row["median (s)"] for row in rows] == ["0.50", "9.00", "10.00"]
    assert rows[0]["worst (s)"] == "9.00"
    assert [row["live is sooner"] for row in rows] == ["", "", "20.0 ×"]
