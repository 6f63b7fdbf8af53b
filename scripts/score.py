"""A trained pipeline over everything: Parquet, JSONL or CSV in, Parquet out."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from scripts.cli.app import run
from scripts.cli.console import msg
from scripts.cli.words import count


def main(
    source: Annotated[str, typer.Argument(help="File, folder or pattern: 'data/*.parquet'")],
    output: Annotated[Path, typer.Argument(help="Folder to write", file_okay=False)],
    model: Annotated[str, typer.Option(help="Folder, or installed package")] = "training/model",
    text_column: Annotated[str, typer.Option(help="Column of the texts")] = "text",
    keep: Annotated[str, typer.Option(help="Columns to copy, comma-separated; '' for all")] = "",
    encoding: Annotated[str, typer.Option(help="Of CSV and JSONL files; '' for UTF-8")] = "",
    rows_per_part: Annotated[int, typer.Option(min=1, help="Rows of an output file")] = 100_000,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts scored together")] = 1024,
    threads: Annotated[int, typer.Option(min=0, help="CPUs; 0: all; on Ray: of a worker")] = 0,
    ray: Annotated[
        Literal["true", "false"],
        typer.Option(help="On a Ray cluster, or a new one here", case_sensitive=False),
    ] = "false",
    workers: Annotated[int, typer.Option(min=0, help="On Ray; 0: as many as there are CPUs")] = 0,
) -> None:
    """Score all rows and write them with the model's label, its score and the scores of all labels.
    Run again after it was cut short, it goes on where it was."""
    from scripts.scoring.model import Model
    from scripts.scoring.run import score_files
    from scripts.scoring.settings import Settings

    names = tuple(name.strip() for name in keep.split(",") if name.strip())
    settings = Settings(text_column, names, encoding, rows_per_part, batch_size)
    on_ray = ray == "true"
    loaded = Model(model, threads or int(on_ray), batch_size)
    plan, totals = score_files(source, output, loaded, settings, on_ray, workers)
    there = len(plan.jobs) - len(plan.waiting)
    msg.good(
        f"{output}: {count(totals.rows, 'row')} in {count(len(plan.jobs), 'file')}"
        + (f", {there} of them written before" if there else "")
    )
    for label, rows in totals.labels.most_common():
        msg.text(f"{rows:>12,} {label or 'none of the labels'}")
    for reason, rows in totals.why.most_common():
        msg.warn(f"{count(rows, 'row')} {reason}: kept, with an empty {plan.columns[0]}")
    read = f'pandas.read_parquet("{output}")'
    if plan.unlike:
        msg.warn(
            f"The files are no one table: not all have {', '.join(plan.unlike)} in the same type",
            "For one table, score all of them into a new folder: CSV and JSONL then get one type.",
        )
        files = f'glob.glob("{output}/**/*.parquet", recursive=True)'
        read = f"pandas.concat(map(pandas.read_parquet, sorted({files})))"
    print(f"Columns added: {', '.join(plan.columns)}. Read it: {read}")


if __name__ == "__main__":
    run(main)
