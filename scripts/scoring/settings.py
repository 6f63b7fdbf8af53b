"""What decides the rows that are written, and how their files are cut."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """column: of the texts. keep: columns to copy; none for all. encoding: of CSV and JSONL files;
    "" for UTF-8. rows_per_part: rows of an output file; the next one begins after them.
    batch_size: texts that go through the pipeline together."""

    column: str
    keep: tuple[str, ...] = ()
    encoding: str = ""
    rows_per_part: int = 100_000
    batch_size: int = 1024

    def kept(self, names: list[str]) -> list[str]:
        """Of a file with these columns, of which one without rows may have none."""
        return [name for name in self.keep if name in names] if self.keep else names

    def parts(self, rows: int) -> int:
        """Output files of an input file; an empty one has an empty one."""
        return max(1, -(-rows // self.rows_per_part))
