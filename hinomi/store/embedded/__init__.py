"""The store that needs nothing installed: Parquet segments read by DuckDB, records in SQLite."""

from hinomi.store.embedded.events import ParquetEvents
from hinomi.store.embedded.records import SqliteRecords

__all__ = ["ParquetEvents", "SqliteRecords"]
