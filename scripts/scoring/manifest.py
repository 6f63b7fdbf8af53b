"""What the files in an output folder were made of, so that no others are put among them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import srsly

from scripts.cli.errors import ProjectError
from scripts.data.whole import written_whole
from scripts.scoring.look import Look
from scripts.scoring.settings import Settings
from scripts.scoring.sources import Source

# Not read by pandas, DuckDB and Spark, as its name begins so.
NAME = "_scored.json"
AGAIN = (
    "Go on as before, or write to another folder: --vars.score_output NAME\n"
    "To start anew, delete the folder."
)


@dataclass(frozen=True)
class Manifest:
    """model: What it was called, and its fingerprint. columns: Names of those added. inputs: By
    their name, with size and time of change."""

    model: str
    fingerprint: str
    settings: Settings
    columns: tuple[str, str, str]
    inputs: dict[str, tuple[int, int, Look]]

    def write(self, folder: Path) -> None:
        data = {
            "model": self.model,
            "fingerprint": self.fingerprint,
            "settings": asdict(self.settings),
            "columns": self.columns,
            "inputs": {
                # As a string: nanoseconds are more than what some JSON readers take for a number.
                name: {"size": size, "changed": str(changed), **seen.to_json()}
                for name, (size, changed, seen) in self.inputs.items()
            },
        }
        with written_whole(folder / NAME) as part:
            srsly.write_json(part, data)

    @classmethod
    def read(cls, folder: Path) -> "Manifest | None":
        """RETURNS: None where the folder is new or empty.
        RAISES (ProjectError): It holds something else.
        """
        path = folder / NAME
        if not path.exists():
            there = [p.name for p in folder.iterdir() if not p.name.startswith((".", NAME))]
            if there:
                raise ProjectError(
                    f"{folder} holds other files than scores: {', '.join(sorted(there)[:5])}",
                    "Give a folder that is new or empty: --vars.score_output NAME",
                )
            return None
        try:
            data: dict[str, Any] = srsly.read_json(path)
            settings = {**data["settings"], "keep": tuple(data["settings"]["keep"])}
            inputs = {
                name: (one["size"], int(one["changed"]), Look.from_json(one))
                for name, one in data["inputs"].items()
            }
            label, score, cats = data["columns"]
            return cls(
                data["model"],
                data["fingerprint"],
                Settings(**settings),
                (label, score, cats),
                inputs,
            )
        except (ValueError, KeyError, TypeError):
            raise ProjectError(f"{path} cannot be read.", AGAIN) from None

    def check(
        self, folder: Path, fingerprint: str, settings: Settings, found: list[Source]
    ) -> None:
        """RAISES (ProjectError): What is asked for now would not go together with what is there."""
        if fingerprint != self.fingerprint:
            raise ProjectError(
                f"{folder} was begun with another model than this {self.model}.", AGAIN
            )
        for name, before in asdict(self.settings).items():
            now = getattr(settings, name)
            if now != before:
                raise ProjectError(
                    f"{folder} was begun with {name} {before!r}, not {now!r}.", AGAIN
                )
        there = {source.name: (source.size, source.changed) for source in found}
        for name, (*before, _) in self.inputs.items():
            if name not in there:
                raise ProjectError(
                    f"{folder} was begun with {name}, which is not there now.", AGAIN
                )
            if there[name] != tuple(before):
                raise ProjectError(f"{name} has changed since {folder} was begun.", AGAIN)
