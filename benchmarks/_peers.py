"""syslog-ng (Debian) as the peer: the same lines through its kv-, csv- or json-parser, written as JSON.

What is measured is the processor time of its process, start included; its own work (one destination file, no fsync) is
less than ours: it splits and renames nothing, we give each line its ECS fields.
"""

import subprocess
import tempfile
from pathlib import Path

from benchmarks._rusage import of_children
from tests.syslog_ng import SyslogNg, unpacked

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


def syslog_ng(form: str, lines: list[str], width: int = 0) -> float | None:
    """Lines a second of processor time; None where syslog-ng cannot be had. width: columns of CSV."""
    peer = unpacked()
    if peer is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        given = ("\n".join(lines) + "\n").encode()
        columns = ", ".join(f"'c{n}'" for n in range(width))
        config = Path(folder) / "syslog-ng.conf"
        parser = PARSERS[form].format(columns=columns) if form == "csv" else PARSERS[form]
        config.write_text(_CONFIG.format(parser=parser, out=out), encoding="utf-8")
        return _run(peer, Path(folder), config, given, out, len(lines))


def _run(peer: SyslogNg, folder: Path, config: Path, given: bytes, out: Path, wanted: int) -> float:
    before = of_children()
    subprocess.run(  # through a pipe: syslog-ng cannot watch a plain file that it has as its standard input
        peer.command(folder, config),
        input=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=300,
        check=False,
        env=peer.environment,
    )
    spent = of_children() - before
    with out.open("rb") as written:
        count = sum(1 for _ in written)
    if count != wanted:
        raise SystemExit(f"syslog-ng wrote {count} of {wanted} lines")
    return wanted / spent
