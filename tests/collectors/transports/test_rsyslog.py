"""Debian's rsyslog as the sender: TCP with both framings, TLS, RELP (bare, over TLS, across kill -9) and its Elasticsearch output."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
import pytest

from collectors.syslog import split
from ops.ports import free_ports
from tests.collectors.transports import certificates
from tests.collectors.transports.intake import Running, intake
from tests.collectors.transports.receiver import Receiver
from tests.shared import missing, program

TOKEN = "t0ken-for-tests"
LINES = 3000
RELP_WINDOW = 128
"""Frames that librelp sends ahead of their answers, unless told otherwise (omrelp's `windowSize`)."""
MODULES = Path("/usr/lib/x86_64-linux-gnu/rsyslog")

CONFIGURATION = """
global(workDirectory="{folder}/work" {globals})
module(load="imfile")
{loads}
template(name="document" type="string" string="{{\\"message\\":\\"%msg:::json%\\",\\"host\\":\\"%hostname%\\"}}")
template(name="id" type="string" string="%msg:::json%")
input(type="imfile" file="{folder}/in.log" tag="hinomi-test:" freshStartTail="off")
action({action} action.resumeRetryCount="-1" action.resumeInterval="1")
"""

ACTIONS = {
    "newline": (
        "",
        'type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"',
    ),
    "octet": (
        "",
        'type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="octet-counted" '
        'template="RSYSLOG_SyslogProtocol23Format"',
    ),
    "traditional": (
        "",
        'type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="RSYSLOG_TraditionalForwardFormat"',
    ),
    "tls": (
        "lmnsd_ossl",
        'type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format" '
        'streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/certvalid"',
    ),
    "relp": ("omrelp", 'type="omrelp" target="127.0.0.1" port="{port}" template="RSYSLOG_ForwardFormat"'),
    "relp-tls": (
        "omrelp",
        'type="omrelp" target="127.0.0.1" port="{port}" template="RSYSLOG_ForwardFormat" tls="on" '
        'tls.caCert="{folder}/tls/ca.pem" tls.authMode="name" tls.permittedPeer="127.0.0.1" '
        # without a certificate of its own librelp offers ciphers without any
        'tls.myCert="{folder}/tls/client_cert.pem" tls.myPrivKey="{folder}/tls/client_key.pem"',
    ),
    "elasticsearch": (
        "omelasticsearch",
        'type="omelasticsearch" server="127.0.0.1" serverport="{port}" template="document" searchIndex="rsyslog" '
        'searchType="" bulkmode="on" dynbulkid="on" bulkid="id" uid="rsyslog" pwd="' + TOKEN + '" '
        'queue.type="linkedList" queue.dequeuebatchsize="500"',
    ),
}


@asynccontextmanager
async def rsyslog(folder: Path, kind: str, port: int) -> AsyncIterator[None]:
    """A rsyslogd that reads `in.log` and sends it on, until the block ends."""
    module, action = ACTIONS[kind]
    if module and not (MODULES / f"{module}.so").exists():
        missing(f"rsyslog module {module} (Debian packages rsyslog-relp, -elasticsearch, -openssl)")
    (folder / "work").mkdir(exist_ok=True)
    loads = (
        f'module(load="{module}")' if module.startswith("om") else ""
    )  # a driver of streams is loaded when used
    authority = f'defaultNetstreamDriverCAFile="{folder}/tls/ca.pem"' if kind == "tls" else ""
    text = CONFIGURATION.format(
        folder=folder, globals=authority, loads=loads, action=action.format(port=port, folder=folder)
    )
    (folder / "rsyslog.conf").write_text(text)
    log = (folder / "rsyslog.out").open("wb")
    command = [program("rsyslogd"), "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)  # our loop must go on: RELP says goodbye to it
        log.close()


def write_lines(folder: Path) -> list[str]:
    lines = [f'numbered line {n} with 日本語 and "quotes"' for n in range(LINES)]
    (folder / "in.log").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return lines


async def ship(folder: Path, kind: str, running: Running, lines: list[str]) -> list[bytes]:
    async with rsyslog(folder, kind, running.port("r")):
        await running.until(lambda: len(running.spooled()) >= len(lines), 60)
        await asyncio.sleep(0.2)
    return running.payloads()


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["newline", "octet", "traditional", "tls", "relp", "relp-tls"])
def test_rsyslog_sends_syslog(tmp_path: Path, kind: str) -> None:
    """Every line arrives once, in order, and its header splits off."""
    lines = write_lines(tmp_path)

    listener = {"kind": {"tls": "tls"}.get(kind, "relp" if kind.startswith("relp") else "tcp")}
    if kind.endswith("tls"):
        made = certificates.make(tmp_path / "tls")
        listener |= {"cert": str(made["cert"]), "key": str(made["key"])}
        if kind == "relp-tls":
            listener["ca"] = str(made["ca"])

    async def work() -> None:
        async with intake(tmp_path / "spool", r=listener) as running:
            payloads = await ship(tmp_path, kind, running, lines)
            frame = split(
                pl.DataFrame({"message": [raw.decode() for raw in payloads]}).with_columns(
                    pl.Series(
                        "received", [row["received"] for row in running.rows], dtype=pl.Datetime("ns", "UTC")
                    )
                )
            )
            assert frame["message"].str.strip_chars_start().to_list() == lines
            assert set(frame["header.app"]) == {"hinomi-test"}
            assert frame["header.timestamp"].null_count() == 0
            assert frame["header.host"].null_count() == 0
            late = (frame["received"] - frame["header.timestamp"]).dt.total_seconds().abs()
            assert int(late.max() or 0) <= (120 if kind != "traditional" else 24 * 3600)  # it has no zone

    asyncio.run(work())


@pytest.mark.peer
def test_rsyslog_sends_bulks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """omelasticsearch with ids and a password: every document once, as JSON, under the id that it chose."""
    monkeypatch.setenv("HINOMI_T", TOKEN)
    lines = write_lines(tmp_path)

    async def work() -> None:
        async with intake(tmp_path / "spool", r={"kind": "http", "token": "env:HINOMI_T"}) as running:
            payloads = await ship(tmp_path, "elasticsearch", running, lines)
            assert [json.loads(raw)["message"] for raw in payloads] == lines
            assert [row["client_id"] for row in running.rows] == lines
            assert running.errors("r") == {}

    asyncio.run(work())


@pytest.mark.peer
def test_relp_survives_a_restart_of_the_intake(tmp_path: Path) -> None:
    """The intake stops in the middle and comes back on its port: rsyslog goes on, no line is missing."""
    lines = write_lines(tmp_path)

    async def work() -> None:
        async with intake(tmp_path / "spool", r={"kind": "relp"}) as running:
            port = running.port("r")
            async with rsyslog(tmp_path, "relp", port):
                await running.until_spooled(200, 60)
                running.stop.set()
                await running.until(lambda: not running.health.listeners["r"].up)
                await running.spool.close()
                async with intake(tmp_path / "spool", r={"kind": "relp", "port": port}) as again:
                    wanted = {line.encode() for line in lines}

                    def all_there() -> bool:
                        got = {raw.partition(b"hinomi-test:")[2].strip() for raw in again.payloads()}
                        return wanted <= got

                    await again.until(all_there, 60)

    asyncio.run(work())


@pytest.mark.slow
@pytest.mark.peer
def test_relp_loses_nothing_to_a_killed_receiver(tmp_path: Path) -> None:
    """SIGKILL three times while rsyslog sends: every line is there. RELP gives a line no id, so that those whose answer was
    lost come twice: no more than the lines that librelp sends ahead of their answers, each time."""
    lines = write_lines(tmp_path)
    (port,) = free_ports(1)
    receiver = Receiver(tmp_path / "spool", {"kind": "relp", "port": port})
    receiver.start()

    async def work() -> None:
        async with rsyslog(tmp_path, "relp", port):
            await asyncio.to_thread(receiver.killed_amid, len(lines), lambda: len(set(_texts(receiver))))

    asyncio.run(work())
    receiver.kill()
    came = _texts(receiver)
    assert set(came) == set(lines)
    assert len(came) - len(lines) <= 3 * RELP_WINDOW


def _texts(receiver: Receiver) -> list[str]:
    """Of each entry in the spool the line behind its header."""
    return [entry["payload"].partition(b"hinomi-test:")[2].strip().decode() for entry in receiver.spooled()]
