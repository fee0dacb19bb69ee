"""Debian's own syslog-ng, unpacked beside the system: it and rsyslog, which other tests need, cannot be installed together."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ops.folders import cache_folder

_PACKAGES = ("syslog-ng-core", "syslog-ng-mod-http")


@dataclass(frozen=True, slots=True)
class SyslogNg:
    """root: of the unpacked packages."""

    root: Path

    def command(self, folder: Path, config: Path) -> list[str]:
        """In the foreground; what it writes about itself goes to a folder."""
        names = ("persist-file", "pidfile", "control")
        places = {"cfgfile": config, "module-path": self._modules, **{name: folder / name for name in names}}
        said = [f"--{name}={place}" for name, place in places.items()]
        return [str(self.root / "usr/sbin/syslog-ng"), "-F", "--no-caps", *said]

    @property
    def environment(self) -> Mapping[str, str]:
        """Where its libraries are, and UTC."""
        folders = sorted({path.parent for path in self.root.rglob("*.so*")})
        return {**os.environ, "TZ": "UTC", "LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}

    @property
    def _modules(self) -> Path:
        return next(path.parent for path in (self.root / "usr/lib/syslog-ng").glob("*/libaffile.so"))

    @contextmanager
    def running(self, folder: Path, config: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A process with this configuration until the block ends."""
        place = folder / "syslog-ng.conf"
        place.write_text(config, encoding="utf-8")
        with (folder / "syslog-ng.out").open("ab") as said:
            process = subprocess.Popen(
                self.command(folder, place), env=self.environment, stdout=said, stderr=said
            )
            try:
                yield process
            finally:
                process.terminate()
                process.wait(30)


@cache
def unpacked() -> SyslogNg | None:
    """From Debian's archive, whose signatures apt checks; kept in the cache folder. None where it cannot be had."""
    folder = cache_folder() / "syslog-ng-3"
    if not (folder / "usr/sbin/syslog-ng").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="syslog-ng-") as place:
            try:
                _unpack(Path(place))
                (Path(place) / "root").rename(folder)
            except (OSError, subprocess.SubprocessError):
                if not (folder / "usr/sbin/syslog-ng").exists():  # another process may have been quicker
                    return None
    return SyslogNg(folder)


def _unpack(place: Path) -> None:
    """The packages and what they need that is missing here, below `root`; nothing is installed."""
    (place / "archives" / "partial").mkdir(parents=True)
    fetch = ["apt-get", "install", "--yes", "--download-only", "--no-install-recommends"]
    options = ["-o", f"Dir::Cache::archives={place / 'archives'}", "-o", "APT::Sandbox::User=root"]
    free = ["-o", "Debug::NoLocking=1"]  # an installation may be going on; this changes nothing
    subprocess.run(
        [*fetch, *options, *free, *_PACKAGES],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
    )
    for package in (place / "archives").glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(place / "root")], check=True, timeout=60)
