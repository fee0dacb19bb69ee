"""A file of the embedded store that was damaged or taken away is named to whoever asks."""

from pathlib import Path

import pytest

from hinomi.errors import StoreError
from hinomi.store.embedded import ParquetEvents
from tests.contract.test_events import batch


@pytest.mark.parametrize("harm", ["cut", "overwritten", "gone"])
def test_the_file_is_named_in_one_sentence(tmp_path: Path, harm: str) -> None:
    """Neither DuckDB's text of many lines nor the question in SQL reaches a person: the file and what to do does."""
    events = ParquetEvents(tmp_path)
    events.append([batch()])
    [file] = tmp_path.rglob("*.parquet")
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:100] if harm == "cut" else b"x" * file.stat().st_size)
    with pytest.raises(StoreError) as raised:
        events.search("user.name: User1")
    events.close()
    assert file.name in raised.value.ja and file.name in raised.value.en
    assert "select" not in str(raised.value).lower() and "\n" not in raised.value.en
    assert "hinomi store snapshot" in raised.value.ja
