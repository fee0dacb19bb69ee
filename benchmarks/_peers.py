"""syslog-ng (Debian) as the peer: the same lines through its kv-, csv- or json-parser, written as JSON.

What is measured is the processor time of its process, start included; its own work (one destination file, no fsync) is
less than ours: it splits and renames nothing, we give each line its ECS fields. Debian's rsyslog and syslog-ng cannot be
installed together, and tests need rsyslog: so the package is only unpacked, into the cache folder.
"""

import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks._rusage import of_children
from ops.folders import cache_folder

PARSERS = {
    "key=value": "kv-parser(prefix('kv.'));",
    "csv": "csv-parser(prefix('csv.') columns({columns}) delimiters(',') flags(escape-double-char) quote-pairs('\"\"'));",
    "json": "json-parser(prefix('json.'));",
}
_CONFIG = """@version: 3.35
options {{ stats-freq(0); flush-lines(1000); }};
source s_in {{ stdin(flags(no-parse) log-msg-size(262144) log-iw-size(20000) log-fetch-limit(1000)); }};
parser p_form {{ {parser} }};
destination d_out {{ file("{out}" template("$(format-json --scope nv-pairs)\\n")); }};
log {{ source(s_in); parser(p_form); destination(d_out); flags(flow-control); }};
"""


def _unpacked() -> Path | None:
    """Where the package is unpacked; None where apt cannot fetch it."""
    folder = cache_folder() / "syslog-ng"
    program = folder / "root" / "usr" / "sbin" / "syslog-ng"
    if program.exists():
        return folder / "root"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["apt-get", "download", "syslog-ng-core"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=120,
        )
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(folder / "root")], check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return folder / "root" if program.exists() else None


def syslog_ng(form: str, lines: list[str], width: int = 0) -> float | None:
    """Lines a second of processor time; None where syslog-ng cannot be had. width: columns of CSV."""
    root = _unpacked()
    if root is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        given = ("\n".join(lines) + "\n").encode()
        columns = ", ".join(f"'c{n}'" for n in range(width))
        config = Path(folder) / "syslog-ng.conf"
        parser = PARSERS[form].format(columns=columns) if form == "csv" else PARSERS[form]
        config.write_text(_CONFIG.format(parser=parser, out=out), encoding="utf-8")
        return _run(root, Path(folder), config, given, out, len(lines))


def _run(root: Path, folder: Path, config: Path, given: bytes, out: Path, wanted: int) -> float:
    before = of_children()
    places = {"cfgfile": config, **{name: folder / name for name in ("persist-file", "pidfile", "control")}}
    names = [f"--{name}={place}" for name, place in places.items()]
    modules = next((root / "usr/lib/syslog-ng").iterdir())
    subprocess.run(  # through a pipe: syslog-ng cannot watch a plain file that it has as its standard input
        [str(root / "usr/sbin/syslog-ng"), "-F", "--no-caps", f"--module-path={modules}", *names],
        input=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=300,
        check=False,
        env={**os.environ, "TZ": "UTC", "LD_LIBRARY_PATH": f"{modules}:{root / 'usr/lib/syslog-ng'}"},
    )
    spent = of_children() - before
    with out.open("rb") as written:
        count = sum(1 for _ in written)
    if count != wanted:
        raise SystemExit(f"syslog-ng wrote {count} of {wanted} lines")
    return wanted / spent
