"""A file of Maven Central is kept only when it is what its digest says, and asked for once."""

import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from hinomi.errors import DependencyDown, InputError
from ops.elastic import maven

CONTENT = b"a jar" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def central(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository's folder, served in Maven Central's place."""
    folder = tmp_path / "central"
    (folder / "org").mkdir(parents=True)
    (folder / "org" / "a.jar").write_bytes(CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(maven, "_PLACE", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(maven, "_PAUSES", (0.0,))
        yield folder
        server.shutdown()


def test_it_is_fetched_once(central: Path, tmp_path: Path) -> None:
    """What is kept is not asked for again; what was spoiled there is."""
    path = maven.fetched("org/a.jar", DIGEST, tmp_path)
    assert path == tmp_path / "a.jar" and path.read_bytes() == CONTENT
    path.write_bytes(b"spoiled")
    assert maven.fetched("org/a.jar", DIGEST, tmp_path).read_bytes() == CONTENT
    (central / "org" / "a.jar").unlink()
    assert maven.fetched("org/a.jar", DIGEST, tmp_path) == path


def test_what_is_not_what_its_digest_says_is_not_kept(central: Path, tmp_path: Path) -> None:
    """Nor is a file that the repository does not have; the message names the file."""
    with pytest.raises(InputError, match=r"a\.jar"):
        maven.fetched("org/a.jar", "0" * 64, tmp_path)
    with pytest.raises(DependencyDown, match="404"):
        maven.fetched("org/b.jar", DIGEST, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"central"}
