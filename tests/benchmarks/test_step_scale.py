from pathlib import Path

import argilla as rg
import pandas as pd
import pytest

from scripts.argilla_server.manage import Credentials
from scripts.benchmarks.scale_commands import step_scale
from scripts.benchmarks.step_scale import FIRST, NEW, NEXT, PHASES


def test_steps_on_a_made_up_pool_are_timed_by_phase(
    argilla_server: Credentials,
    headlines: list[dict[str, str]],
    pipelines: Path,
    encoder_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ARGILLA_API_URL", argilla_server.api_url)
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    client = rg.Argilla(api_url=argilla_server.api_url, api_key=argilla_server.api_key)
    before = {str(dataset.name) for dataset in client.datasets}
    data, output = tmp_path / "data.csv", tmp_path / "step_scale.csv"
    pd.DataFrame(headlines).to_csv(data, index=False)
    step_scale(
        str(data),
        sizes="300",
        labels="40",
        pipeline=str(pipelines / "textcat.cfg"),
        encoder=encoder_folder,
        cache=tmp_path / "cache",
        output=output,
    )
    rows = pd.read_csv(output)
    assert rows["step"].tolist() == [FIRST, NEW, NEXT]
    assert rows["labels"].tolist() == [0, 40, 60]
    assert (rows["models"] > 0).all()
    # Each second is in one phase, to the rounding of the table.
    assert (rows[list(PHASES)].sum(axis=1) - rows["seconds"]).abs().max() < 0.5
    assert (rows["GB"] > 0.1).all()
    assert {str(dataset.name) for dataset in client.datasets} == before
