"""Turn a sentence-transformers model into a folder that `components/onnx_encoder.py` can run."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.shipping import Precision


def main(
    model: Annotated[str, typer.Argument(help="Name on the hub, or a local folder")],
    output_dir: Annotated[Path, typer.Argument(help="Folder to write", file_okay=False)],
    precision: Annotated[
        Precision, typer.Option(help="int8: 8-bit weights, smaller and faster, less exact")
    ] = "fp32",
    prefix: Annotated[
        str | None,
        typer.Option(help='Put before each text, as "query: "; by default what the model asks for'),
    ] = None,
) -> None:
    """Export a sentence encoder for ONNX Runtime and check it against the original."""
    from scripts.shipping.encoder import export, find_model

    msg.info(f"Exporting {model} from {find_model(model)[1]}")
    cosines = export(model, output_dir, precision=precision, prefix=prefix)
    size = sum(file.stat().st_size for file in output_dir.iterdir()) / 1e6
    msg.good(
        f"{output_dir}: cosine with the original at least {cosines.min():.6f} "
        f"(mean {cosines.mean():.6f}) on {len(cosines)} sample texts; {size:.0f} MB"
    )


if __name__ == "__main__":
    run(main)
