"""Real targets from Debian packages, each for one test: nftables in a network namespace, Squid, Unbound, OpenSSH."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from responders.connectors.dns_question import asked
from tests.e2e.tower import free_port
from tests.shared import program

PORTS = {
    "cisco_ios": ("GigabitEthernet0/12", "GigabitEthernet0/1"),
    "allied_telesis": ("port1.0.12", "port1.0.1"),
    "yamaha_switch": ("port1.12", "port1.1"),
    "yamaha_rtx": ("lan1", "lan2"),
}
"""A machine's port and the uplink, as each vendor's references name them."""


@dataclass(frozen=True, slots=True)
class Target:
    """A running target: its configuration section, and all that can be seen of its state."""

    section: dict[str, Any]
    state: Callable[[], str]


@contextmanager
def nftables(folder: Path) -> Iterator[Target]:
    """A network namespace of its own, held by a sleeping process; the kernel's real rules inside, as docs/response.md has them."""
    nft, unshare, nsenter = program("nft"), program("unshare"), program("nsenter")
    with subprocess.Popen([unshare, "-n", "sleep", "3000"]) as holder:
        try:
            _until(lambda: _namespace(str(holder.pid)) != _namespace("self"))
            command = [nsenter, "-t", str(holder.pid), "-n", nft]
            subprocess.run(
                [*command, "-f", "-"],
                input=_documented("table inet hinomi"),
                text=True,
                check=True,
                timeout=30,
            )

            def state() -> str:
                return subprocess.run(
                    [*command, "list", "ruleset"], check=True, capture_output=True, text=True, timeout=30
                ).stdout

            yield Target({"kind": "nftables", "servers": {"pc-114": command}}, state)
        finally:
            holder.kill()


@contextmanager
def squid(folder: Path, others: str = "allow") -> Iterator[Target]:
    """Squid on loopback with an ACL that reads our file. others: what becomes of all other names."""
    binary, port = program("squid"), free_port()
    service = ["-n", f"hinomi{port}"]  # its shared memory is named by it: several Squids on one machine
    folder = Path(
        tempfile.mkdtemp(prefix="hinomi-squid-")
    )  # Squid gives up root, and pytest's folders are root's
    shutil.chown(folder, "proxy", "proxy")
    listed = folder / "deny.txt"
    listed.write_text("# kept by the administrator\n.old.example\n")
    configuration = folder / "squid.conf"
    configuration.write_text(
        f"http_port 127.0.0.1:{port}\npid_filename {folder}/squid.pid\ncache_log {folder}/cache.log\n"
        f"access_log none\ncache deny all\nicp_port 0\nhtcp_port 0\n"
        f"coredump_dir {folder}\npinger_enable off\nshutdown_lifetime 0 seconds\n"
        f'acl deny dstdomain "{listed}"\nhttp_access deny deny\nhttp_access {others} all\n'
    )
    with subprocess.Popen(
        [binary, *service, "-N", "-f", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _until(lambda: listening(port))
            section = {
                "kind": "squid",
                "file": str(listed),
                "reload": [binary, *service, "-k", "reconfigure", "-f", str(configuration)],
                "probe": f"http://127.0.0.1:{port}",
            }
            yield Target(section, lambda: listed.read_text() + oct(listed.stat().st_mode))
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)
            for shared in Path("/dev/shm").glob(f"hinomi{port}-*"):  # killed, it leaves them
                shared.unlink(missing_ok=True)


@contextmanager
def unbound(folder: Path, more: str = "") -> Iterator[Target]:
    """Unbound on loopback that knows one name, and that there is none in gone.example, and includes our file. more: further clauses of
    its configuration."""
    binary, control, port, command = program("unbound"), program("unbound-control"), free_port(), free_port()
    folder.mkdir(parents=True)
    listed = folder / "sinkhole.conf"
    listed.write_text("# kept by the administrator\n")
    configuration = folder / "unbound.conf"
    configuration.write_text(
        f'server:\n  interface: 127.0.0.1\n  port: {port}\n  username: ""\n  chroot: ""\n'
        f'  directory: "{folder}"\n  pidfile: "{folder}/unbound.pid"\n  use-syslog: no\n'
        f'  logfile: "{folder}/log"\n  local-zone: "example.net." redirect\n'
        f'  local-data: "example.net. A 192.0.2.1"\n  local-zone: "gone.example." static\n'
        f'  local-data: "gone.example. SOA localhost. root.localhost. 1 60 60 60 60"\n  include: "{listed}"\n'
        f"remote-control:\n  control-enable: yes\n  control-interface: 127.0.0.1\n"
        f"  control-port: {command}\n  control-use-cert: no\n{more}"
    )
    with subprocess.Popen(
        [binary, "-d", "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _until(lambda: code("127.0.0.1", port, "c2.example.net") == 0)
            section = {
                "kind": "unbound",
                "file": str(listed),
                "reload": [control, "-c", str(configuration), "reload"],
                "port": port,
            }
            yield Target(section, lambda: f"{listed.read_text()}{_settled(port)}")
        finally:
            process.kill()


@contextmanager
def bind(
    folder: Path, more: str = "", waits: str = "no", policy: str = "min-update-interval 0"
) -> Iterator[Target]:
    """BIND on loopback that asks a real Unbound for two zones, with a response policy zone that one key may change. more: further
    configuration; waits: whether it asks others before it applies the policy, as it does unless told otherwise; policy: options
    of the policy."""
    with unbound(folder / "upstream") as upstream:
        yield from _bind(int(upstream.section["port"]), more, waits, policy)


def _bind(upstream: int, more: str, waits: str, policy: str) -> Iterator[Target]:
    named, keygen, port = program("named"), program("tsig-keygen"), free_port()
    folder = Path(
        tempfile.mkdtemp(prefix="hinomi-bind-")
    )  # it gives up root, and pytest's folders are root's
    key = subprocess.run([keygen, "hinomi"], check=True, capture_output=True, text=True, timeout=30).stdout
    (folder / "hinomi.key").write_text(key)
    (folder / "rpz.zone").write_text(
        "$TTL 60\n@ SOA localhost. root.localhost. 1 60 60 60 60\n@ NS localhost.\nold.example CNAME .\n"
    )
    (folder / "named.conf").write_text(
        f'{key}options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n'
        f'  pid-file "{folder}/pid"; session-keyfile none; recursion yes; dnssec-validation no;\n'
        f'  response-policy {{ zone "rpz" {policy}; }} qname-wait-recurse {waits}; }};\n'
        f"controls {{ }};\n{more}\n"
        'zone "rpz" { type primary; file "rpz.zone"; allow-query { 127.0.0.1; };\n'
        "  allow-transfer { 127.0.0.1; }; update-policy { grant hinomi zonesub ANY; }; };\n"
        + "".join(
            f'zone "{zone}" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {upstream}; }}; }};\n'
            for zone in ("example.net", "gone.example")
        )
    )
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "bind", "bind")
    dig = [program("dig"), "@127.0.0.1", "-p", str(port), "rpz", "AXFR", "+noall", "+answer"]

    def state() -> str:
        """All records but the serial, and what clients are answered."""
        said = subprocess.run(dig, check=True, capture_output=True, text=True, timeout=30).stdout
        records = sorted(line for line in said.splitlines() if "\tSOA\t" not in line)
        return "\n".join([*records, str(_settled(port))])

    with subprocess.Popen(
        [named, "-f", "-u", "bind", "-c", folder / "named.conf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _until(lambda: code("127.0.0.1", port, "c2.example.net") == 0)
            yield Target({"kind": "bind_rpz", "key": str(folder / "hinomi.key"), "port": port}, state)
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def code(address: str, port: int, name: str) -> int | None:
    """The response code of a question for an A record; None without an answer."""
    said = asked(address, port, name)
    return said.code if said else None


def _settled(port: int) -> int | None:
    """What a name server answers once it has taken up what it was told; a busy machine is late or loses a datagram."""
    time.sleep(0.5)
    tries = (code("127.0.0.1", port, "c2.example.net") for _ in range(20))
    return next((said for said in tries if said is not None), None)


@contextmanager
def device(folder: Path, dialect: str = "cisco_ios") -> Iterator[Target]:
    """A switch or router behind a real OpenSSH server: host key, user key, ForceCommand."""
    folder.mkdir(parents=True)
    state = folder / "state.json"
    port, uplink = PORTS.get(dialect, PORTS["cisco_ios"])
    ports = {port: ["switchport access vlan 20"], uplink: []}
    state.write_text(json.dumps({uplink: []} if dialect == "yamaha_rtx" else ports, sort_keys=True))
    script = Path(__file__).with_name("device.py")
    with _sshd(folder, f"ForceCommand {sys.executable} -S {script} {state} {dialect}\n") as login:
        more = {"dialect": dialect, "ports": {"pc-114": port}, "segments": {"lgwan": uplink}}
        yield Target({"kind": "ssh_network", **login, **more}, state.read_text)


@contextmanager
def notice_page(folder: Path, site: str = "www.city.example.jp") -> Iterator[Target]:
    """nginx with a site, and an account that gets nothing but SFTP in the folder of flags, as docs/response.md has them."""
    binary, at = program("nginx"), free_port()
    flags = folder / "root" / "flags"
    (flags / "kept.by.administrator").mkdir(parents=True)
    pages = folder / "pages"
    pages.mkdir()
    (pages / "a").mkdir()
    (pages / "a" / "b").write_text("the city's pages")
    (pages / "notice.html").write_text("back soon")
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o011)  # nginx's workers are nobody's
    own = (
        _documented("error_page 503")
        .replace("/srv/hinomi/flags", str(flags))
        .replace("/srv/notice", str(pages))
    )
    own = own.replace("www.city.example.jp", site)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{ }}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{at}; server_name {site}; root {pages};\n{own} }} }}\n"
    )
    with (
        _sshd(folder / "ssh", f"ForceCommand internal-sftp -d {flags}\n") as login,
        subprocess.Popen([binary, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL) as process,
    ):
        try:
            _until(lambda: listening(at))
            sites = {site: f"http://127.0.0.1:{at}/"}
            section = {"kind": "maintenance_page", **login, "folder": str(flags), "sites": sites}
            yield Target(
                section, lambda: f"{sorted(path.name for path in flags.iterdir())} {_answered(at, site)}"
            )
        finally:
            process.terminate()


def _answered(port: int, site: str) -> tuple[int, str]:
    """What a visitor of the site gets."""
    said = httpx.get(f"http://127.0.0.1:{port}/a/b?c", headers={"Host": site})
    return said.status_code, said.text


@contextmanager
def _sshd(folder: Path, more: str) -> Iterator[dict[str, Any]]:
    """OpenSSH's server with a host key and a user's key; how to sign in. more: further lines of its configuration."""
    sshd, keygen, at = program("sshd"), program("ssh-keygen"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True, timeout=30)
    Path("/run/sshd").mkdir(exist_ok=True)
    configuration = folder / "sshd_config"
    configuration.write_text(
        f"Port {at}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nPasswordAuthentication no\n"
        f"PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n{more}"
    )
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{at} {(folder / 'host.pub').read_text()}")
    with subprocess.Popen([sshd, "-D", "-e", "-f", configuration], stderr=subprocess.DEVNULL) as process:
        try:
            _until(lambda: listening(at))
            login = {"host": "127.0.0.1", "port": at, "user": "root"}
            yield {**login, "key": str(folder / "user"), "known_hosts": str(known)}
        finally:
            process.kill()


def listening(port: int, address: str = "127.0.0.1") -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def _until(ready: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(0.05)
    raise AssertionError("a real target did not start")


def _documented(begin: str) -> str:
    """What begins so, of what docs/response.md tells administrators to make."""
    page = (Path(__file__).parents[3] / "docs" / "response.md").read_text(encoding="utf-8")
    return page[page.index(begin) :].partition("```")[0]


def _namespace(process: str) -> Path:
    return Path(f"/proc/{process}/ns/net").readlink()
