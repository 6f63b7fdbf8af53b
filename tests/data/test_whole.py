import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import srsly

from scripts.data.whole import written_whole


@pytest.fixture
def little_room() -> Iterator[None]:
    """No file can be larger than 100 bytes: writing fails in the middle, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("little_room")
def test_what_cannot_be_written_to_its_end_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    for rows in ([{"text": "one"}], [{"text": "two"}]):
        with written_whole(path) as part:
            srsly.write_jsonl(part, rows)
        assert list(srsly.read_jsonl(path)) == rows
    with pytest.raises(OSError, match="too large"), written_whole(path) as part:
        srsly.write_jsonl(part, [{"text": "three"}] * 20)
    assert list(srsly.read_jsonl(path)) == [{"text": "two"}]
    assert list(path.parent.iterdir()) == [path]
