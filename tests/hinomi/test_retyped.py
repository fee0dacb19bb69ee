"""A store of an earlier release, which kept a vendor's field as lists where a batch had any."""

from pathlib import Path

import polars as pl

from hinomi.batch import Batch
from hinomi.store.embedded import ParquetEvents
from tests.contract.test_events import batch


def test_lists_of_an_earlier_release_are_read_with_what_comes_now(tmp_path: Path) -> None:
    """Files of both kinds are asked in one question; the new file has a hash, and the store is not written anew again."""
    store = ParquetEvents(tmp_path)
    for first, tags in ((0, [["a", "b"], ["c"]]), (2, ["d", None])):
        whole = batch(n=2, first=first)
        store.append([Batch(whole.dataset, whole.frame.with_columns(pl.Series("vendor.tags", tags)))])
    store.close()
    renewed = ParquetEvents(tmp_path)
    rows = renewed.search("vendor.tags: (b or c or d)", oldest_first=True).rows
    assert [row["vendor.tags"] for row in rows] == [["a", "b"], "c", "d"]
    assert renewed.fields()["vendor.tags"] == "keyword"
    files = renewed.files("fortinet.fortigate")
    assert [harm for _, harm in renewed.integrity.verified()] == [None, None]
    renewed.close()
    again = ParquetEvents(tmp_path)
    assert again.files("fortinet.fortigate") == files
    again.close()
