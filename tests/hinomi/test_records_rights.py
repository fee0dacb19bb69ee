"""Who may read the records of an embedded store."""

from pathlib import Path

from hinomi.store.embedded import SqliteRecords


def test_records_are_their_owner_s_alone_from_the_first_byte(tmp_path: Path) -> None:
    """Passwords' hashes stand in the log beside the file first: in a folder that was made on the way, and in one that is open to
    all, none of the three files is anybody else's to read."""
    (tmp_path / "open").mkdir(mode=0o755)
    for folder in (tmp_path / "open", tmp_path / "made"):
        records = SqliteRecords(folder / "records.sqlite")
        records.put("user", "sato", {"password_hash": "x"}, expect=0)
        found = {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}
        records.close()
        assert found == {"records.sqlite": 0, "records.sqlite-wal": 0, "records.sqlite-shm": 0}
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
