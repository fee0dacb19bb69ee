"""Feeds from a real web server: fetched when due, checked before use, the old file kept when something is wrong."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collectors.enrich import EnrichSettings
from hinomi.clock import FixedClock
from hinomi.errors import StoreError
from hinomi.store.embedded import SqliteRecords
from hinomi.store.parts import Parts
from ops.feeds import KIND, Feed, refresh
from ops.shared import Copy, content
from ops.shared.content import feed

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GOOD = b"account,full_name\nt.yamada,\xe5\xb1\xb1\xe7\x94\xb0\n"


class Mirror(ThreadingHTTPServer):
    """Gives `body` with an etag of its own; answers 304 to who has it, and 500 while `down`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.body, self.down = GOOD, False
        self.answers: list[int] = []


class Page(BaseHTTPRequestHandler):
    """One request."""

    server: Mirror

    def do_GET(self) -> None:
        etag = f'"{hash(self.server.body)}"'
        same = self.headers.get("If-None-Match") == etag
        code = 500 if self.server.down else 304 if same else 200
        body = self.server.body if code == 200 else b""
        self.server.answers.append(code)
        self.send_response(code)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_feed_is_fetched_when_due_and_never_breaks_what_is_there(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New, not due, unchanged, no such table, too long, down: the file is only ever replaced by one that can be read."""
    monkeypatch.setenv("FEED_URL", f"http://127.0.0.1:{mirror.server_address[1]}/staff.csv?key=geheim")
    clock, staff = FixedClock(NOW), tmp_path / "lists" / "staff.csv"
    records = SqliteRecords(tmp_path / "records.sqlite", clock=clock)
    feeds = {"staff": Feed.model_validate({"url": "env:FEED_URL", "file": str(staff), "most_mib": 1})}
    enrich = EnrichSettings(staff=staff)

    def again(hours: float = 25) -> int:
        clock.advance(timedelta(hours=hours))
        return refresh(feeds, enrich, records, clock)

    assert refresh(feeds, enrich, records, clock) == 1 and staff.read_bytes() == GOOD
    assert again(hours=1) == 0 and mirror.answers == [200]
    assert again() == 0 and mirror.answers == [200, 304]
    for body, down, said in (
        (b"<html>sign in</html>", False, "account"),
        (b"x" * (2 << 20), False, "1 MiB"),
        (b"", False, "中身がありません"),
        (GOOD * 2, True, "500"),
    ):
        mirror.body, mirror.down = body, down
        assert again() == 0 and staff.read_bytes() == GOOD
        held = records.get(KIND, "staff")
        assert held is not None and said in held.body["ja"] and "geheim" not in str(held.body)
    mirror.body, mirror.down = GOOD + b"k.ito,x\n", False
    assert again(hours=0.6) == 1 and staff.read_bytes().endswith(b"k.ito,x\n")
    assert [path.name for path in staff.parent.iterdir()] == ["staff.csv"]
    records.close()


def test_the_file_of_a_feed_reaches_the_other_machines(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a cluster whoever fetches shares it; a collector with the same feed gets that file and no neighbour of it."""
    monkeypatch.setenv("FEED_URL", f"http://127.0.0.1:{mirror.server_address[1]}/staff.csv")
    staff, records = tmp_path / "r" / "staff.csv", SqliteRecords(tmp_path / "records.sqlite")
    staff.parent.mkdir()
    (staff.parent / "other.conf").write_text("mine")
    feeds = {"staff": Feed.model_validate({"url": "env:FEED_URL", "file": str(staff)})}
    clock = FixedClock(NOW)
    assert refresh(feeds, EnrichSettings(), records, clock, data=tmp_path / "r") == 1
    theirs = tmp_path / "c" / "staff.csv"
    assert Copy.of(feed("staff", theirs), records, tmp_path / "c").renew()
    assert theirs.read_bytes() == GOOD and not (theirs.parent / "other.conf").exists()

    def again() -> int:
        clock.advance(timedelta(hours=25))
        return refresh(feeds, EnrichSettings(), records, clock, data=tmp_path / "r")

    with monkeypatch.context() as patched:  # a 304 reads no file, and what is new is never held whole
        patched.setattr(content.Content, "files", None)
        patched.setattr(Parts, "put", None)
        assert again() == 0 and mirror.answers[-1] == 304
        held = records.get(KIND, "staff")
        assert held is not None and not held.body["en"]
        mirror.body = GOOD + b"k.ito,x\n" * (5 << 17)  # more than one part
        assert again() == 1
    assert Copy.of(feed("staff", theirs), records, tmp_path / "c").renew()
    assert theirs.read_bytes() == mirror.body
    mirror.body = GOOD + b"m.kato,x\n"
    with monkeypatch.context() as patched:  # fetched and not shared: the next time does both
        patched.setattr(Copy, "share", _away)
        assert again() == 0
    assert again() == 1
    assert Copy.of(feed("staff", theirs), records, tmp_path / "c").renew()
    assert theirs.read_bytes() == mirror.body
    records.put("shared_lists", "feed-staff", {"sha256": 7})  # whoever may write records can write anything
    assert again() == 0 and mirror.answers[-1] == 304
    theirs.unlink()
    assert Copy.of(feed("staff", theirs), records, tmp_path / "d").renew()
    assert theirs.read_bytes() == mirror.body
    records.close()


def _away(*_: object) -> int:
    raise StoreError("届きません。", "away")
