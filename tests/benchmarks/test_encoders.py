import pandas as pd
import pytest

from components.onnx_encoder import OnnxEncoder
from scripts.benchmarks.encoders import texts_a_second
from scripts.benchmarks.model_commands import encoders
from scripts.cli.errors import ProjectError


def test_encoders_are_tabled_by_size_speed_and_accuracy(headlines, encoder_folder, tmp_path):
    pd.DataFrame(headlines).to_csv(tmp_path / "data.csv", index=False)
    OnnxEncoder(encoder_folder).to_disk(tmp_path / "second")
    output = tmp_path / "encoders.csv"
    encoders(
        str(tmp_path / "data.csv"),
        [encoder_folder, tmp_path / "second"],
        cache=tmp_path / "cache",
        budgets="0,20",
        seeds=2,
        rounds=1,
        output=output,
    )
    table = pd.read_csv(output)
    assert table["told"].tolist() == ["names", "descriptions"] * 2
    assert set(table["encoder"]) == {"all-MiniLM-L6-v2 fp32"}
    size = sum(file.stat().st_size for file in encoder_folder.iterdir()) / 1e6
    assert table["MB"].tolist() == [round(size)] * 4
    assert table["of the first"][0] == "1.00 ×"
    # The same encoder twice, on the same splits.
    assert table["20"][:2].tolist() == table["20"][2:].tolist()
    assert float(table["20"][0].split()[0]) > 0.5


def test_speed_is_that_of_encoding_not_of_remembering(encoder_folder, monkeypatch):
    encoder = OnnxEncoder(encoder_folder)
    texts = [f"text number {i}" for i in range(64)]
    run, encoded = encoder.engine._run, []

    def count(rows):
        encoded.extend(rows)
        return run(rows)

    monkeypatch.setattr(encoder.engine, "_run", count)
    (speed,) = texts_a_second([encoder], texts, rounds=2)
    assert speed > 0
    assert len(encoded) == 32 + 2 * len(texts)


def test_a_folder_without_an_encoder_is_named(headlines, tmp_path):
    pd.DataFrame(headlines).to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(ProjectError, match="No sentence encoder in"):
        encoders(str(tmp_path / "data.csv"), [tmp_path])
