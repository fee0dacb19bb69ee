"""rsyslog's mmnormalize (liblognorm; Debian's rsyslog) as the peer on lines that are no key=value, CSV or JSON.

The rules below take the same fields out of the same lines. What is measured is the processor time of its process, start
included; its own work is less than ours: it names fields, we also type them, categorise the event and fill ECS.
"""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks._rusage import of_children

_RFC3164 = "<%pri:number%>%mon:word% %day:number% "
RULES = {
    "cisco.asa": [
        _RFC3164 + "%year:number% %clock:word% %host:word% : %%ASA-%severity:number%-%id:number%: " + rest
        for rest in (
            "Built inbound TCP connection %conn:number% for %in:char-to::%:%src:ipv4%/%sport:number% (%nat:char-to:)%) to "
            "%out:char-to::%:%dst:ipv4%/%dport:number% (%natto:char-to:)%)",
            "Teardown TCP connection %conn:number% for %in:char-to::%:%src:ipv4%/%sport:number% to "
            "%out:char-to::%:%dst:ipv4%/%dport:number% duration %duration:word% bytes %bytes:number% %reason:rest%",
            "Deny tcp src %in:char-to::%:%src:ipv4%/%sport:number% dst %out:char-to::%:%dst:ipv4%/%dport:number% by "
            'access-group "%acl:char-to:"%" %hash:rest%',
        )
    ],
    "squid.access": [
        "%time:word%%-:whitespace%%ms:number% %src:ipv4% %result:char-to:/%/%status:number% %bytes:number% %method:word% "
        "%url:word% %user:word% %hierarchy:char-to:/%/%peer:word% %type:word%"
    ],
    "isc.bind": [
        _RFC3164
        + "%clock:word% %host:word% %app:char-to:[%[%pid:number%]: client %object:word% %src:ipv4%#%sport:number% "
        "(%name:char-to:)%): query: %question:word% %class:word% %type:word% %flags:word% (%server:char-to:)%)"
    ],
    "linux.auth": [
        "<%pri:number%>1 %time:word% %host:word% %app:word% %pid:number% - - " + rest
        for rest in (
            "%result:word% %method:word% for %user:word% from %src:ipv4% port %sport:number% ssh2",
            "%user:word% : TTY=%tty:word% ; PWD=%pwd:word% ; USER=%as:word% ; COMMAND=%command:rest%",
        )
    ],
}
_CONFIG = """
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imfile") module(load="mmnormalize")
template(name="out" type="string" string="%$!all-json%\\n")
ruleset(name="all" queue.type="linkedList" queue.size="100000" queue.dequeuebatchsize="1000") {{
  action(type="mmnormalize" rulebase="{folder}/rules" useRawMsg="on")
  action(type="omfile" file="{folder}/out" template="out" ioBufferSize="256k" flushOnTXEnd="off")
}}
input(type="imfile" file="{folder}/in" tag="x" ruleset="all")
"""


def mmnormalize(name: str, lines: list[str]) -> float | None:
    """Lines a second of processor time; None where rsyslog is not installed. Every line must be understood."""
    program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "in").write_text("\n".join(lines) + "\n", encoding="utf-8")
        rules = "\n".join(f"rule=:{rule}" for rule in RULES[name])
        (folder / "rules").write_text(f"version=2\n{rules}\n", encoding="utf-8")
        (folder / "conf").write_text(_CONFIG.format(folder=folder), encoding="utf-8")
        before = of_children()
        command = [program, "-n", "-f", str(folder / "conf"), "-i", str(folder / "pid")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _until_written(folder / "out", len(lines), process)
        spent = of_children() - before
        found = (folder / "out").read_bytes()
    written, wrong = found.count(b"\n"), found.count(b"unparsed-data")
    if wrong or written != len(lines):
        raise SystemExit(f"{name}: mmnormalize read {written - wrong} of {len(lines)} lines")
    return len(lines) / spent


def _until_written(out: Path, wanted: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until its output stands still near the end (its buffer is written when it ends), then end it."""
    size, still = -1, 0
    for _ in range(600):
        time.sleep(0.1)
        now = out.stat().st_size if out.exists() else 0
        still = still + 1 if now == size and now else 0
        size = now
        if still >= 10:
            break
    process.terminate()
    process.wait(30)
