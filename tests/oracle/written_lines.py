"""Lines of text, and XML in them, that products write of an event in Sigma's names: syslog, web servers, proxies, audit daemons.

A form gives None where a line cannot hold the values: a blank in a URL, a quotation mark in a quoted text. The lines are made,
after those of the sources' own examples; no document of a vendor was opened for this file.
"""

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from tests.oracle.provoked import KEYWORD
from tests.oracle.written_products import Event, Form, Place, put

_TIME = "2026-11-23T00:00:00Z"
_IOS = "<189>42: rt01: Nov 23 2026 03:14:05.123 JST:"
_FORTIGATE = 'date=2026-11-23 time=03:12:09 devname="fw" devid="FGT" vd="root"'
_W3C = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status time-taken"
)


def _line(form: str) -> Form:
    """A line with one place (`@`) for what it says."""

    def write(event: Event) -> str | None:
        text = event.get(KEYWORD, "")
        return None if "\n" in text else form.replace("@", text)

    return write


def _syslog(program: str) -> dict[str, Form]:
    line = f"Nov 23 03:12:09 web01 {program}[99]: @"
    return {"rfc3164": _line(f"<86>{line}"), "file": _line(line)}


def _audit(event: Event) -> str | None:
    """auditd's record: texts quoted, numbers bare; the name of a system call behind it, as `log_format = ENRICHED` has it."""
    kind = event.get("type", "EXECVE" if KEYWORD in event else "SYSCALL").upper()
    said = {name: value for name, value in event.items() if name not in ("type", KEYWORD, "SYSCALL")}
    if KEYWORD in event:
        said["a3" if "a0" in said else "a0"] = event[KEYWORD]
    if any('"' in value or "\n" in value for value in said.values()):
        return None
    bare = {"a0", "a1", "a2", "a3", "euid", "nametype"} if kind == "SYSCALL" else {"euid", "nametype", "unit"}
    told = " ".join(
        f"{name}={value}" if name in bare else f'{name}="{value}"' for name, value in said.items()
    )
    known = f" \x1dSYSCALL={event['SYSCALL']}" if "SYSCALL" in event else ""
    return f"type={kind} msg=audit(1795392000.123:4711): {told}{known}"


def _audit_by_syslog(event: Event) -> str | None:
    line = _audit(event)
    return line and f"<13>Nov 23 03:12:09 web01 audisp-syslog: {line}"


def _sysmon(code: int) -> Form:
    """Sysmon for Linux: Windows event XML in syslog."""

    def write(event: Event) -> str | None:
        if any("\n" in value for value in event.values()):
            return None
        data = "".join(f'<Data Name="{name}">{escape(value)}</Data>' for name, value in event.items())
        return (
            "2026-11-23T00:00:00.188419+00:00 web01 sysmon: <Event><System>"
            '<Provider Name="Linux-Sysmon" Guid="{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"/>'
            f'<EventID>{code}</EventID><TimeCreated SystemTime="2026-11-23T00:00:00.188276000Z"/>'
            "<EventRecordID>1</EventRecordID><Channel>Linux-Sysmon/Operational</Channel>"
            f"<Computer>web01</Computer></System><EventData>{data}</EventData></Event>"
        )

    return write


def _windows(provider: str, channel: str, code: int, data: Mapping[str, str]) -> str:
    system = {
        "Provider": {"#attributes": {"Name": provider}},
        "EventID": code,
        "Channel": channel,
        "Computer": "pc1",
        "TimeCreated": {"#attributes": {"SystemTime": _TIME}},
    }
    return json.dumps({"Event": {"System": system, "EventData": data}}, ensure_ascii=False)


def _rpc_firewall(event: Event) -> str | None:
    data = {name: value for name, value in event.items() if name not in ("EventLog", "EventID")}
    return _windows("RPCFW", "RPCFW", int(event["EventID"]), data) if event["EventID"].isdigit() else None


def _defender(event: Event) -> str | None:
    """The antivirus of Windows: a find names what and where."""
    if KEYWORD in event:
        return None
    data = {
        "Threat Name": event.get("Signature", "x"),
        "Path": f"file:_{event.get('Filename', 'C:/x')}",
    }
    name = "Microsoft-Windows-Windows Defender"
    return _windows(name, f"{name}/Operational", 1116, data)


def _sudo(event: Event) -> str | None:
    return f"<86>Nov 23 03:12:09 web01 sudo: x : TTY=pts/0 ; PWD=/x ; USER={event['USER']} ; COMMAND=/bin/sh"


def _beat(category: str, kind: str, system: str, paths: Mapping[str, str]) -> Form:
    """Auditbeat's document (ECS); it has no more of these fields than `paths`."""
    values = {"Initiated": {"true": "egress", "false": "ingress"}}

    def write(event: Event) -> str | None:
        if not set(event) <= set(paths):
            return None
        document: dict[str, Any] = {
            "@timestamp": _TIME,
            "agent": {"type": "auditbeat"},
            "host": {"name": "web01", "os": {"type": system}},
            "event": {"module": "system", "kind": "event", "category": [category], "type": [kind]},
        }
        for name, value in event.items():
            put(document, paths[name].split("."), values.get(name, {}).get(value, value))
        return json.dumps(document, ensure_ascii=False)

    return write


_PROCESS = {
    "CommandLine": "process.command_line",
    "Image": "process.executable",
    "ParentImage": "process.parent.executable",
    "ParentCommandLine": "process.parent.command_line",
    "User": "user.name",
    "CurrentDirectory": "process.working_directory",
}
_CONNECTION = {
    "DestinationIp": "destination.ip",
    "DestinationHostname": "destination.domain",
    "DestinationPort": "destination.port",
    "Image": "process.executable",
    "Initiated": "network.direction",
}
_FILE = {"TargetFilename": "file.path"}


def _target(event: Event) -> str:
    """What is asked of a web server: rules write path and query into either name."""
    stem, query = event.get("cs-uri-stem", ""), event.get("cs-uri-query", "")
    query = query if {"/", "?"} & set(query) or not query else f"?{query}"
    whole = (query if stem in query else f"{stem}?{query.lstrip('?')}") if stem and query else stem or query
    text = event.get(KEYWORD, "")
    whole = whole if whole.startswith("/") else f"/{whole}"
    return whole if not text else f"{whole.rstrip('/')}{text}" if text[0] in "/?" else f"{whole}?{text}"


_WEB = {
    KEYWORD,
    "cs-uri-query",
    "cs-uri-stem",
    "cs-method",
    "sc-status",
    "cs-user-agent",
    "cs-referer",
    "cs-username",
}


def _served(method: str, status: str) -> bool:
    """Whether a server writes such a method and status."""
    return method.isupper() and status.isdigit() and len(status) == 3


def _edged(*values: str) -> bool:
    """Whether a blank begins or ends one, which is no part of what it says."""
    return any(value != value.strip() for value in values)


def _combined(event: Event) -> str | None:
    """The combined form of Apache and nginx."""
    target, method, status = _target(event), event.get("cs-method", "GET"), event.get("sc-status", "200")
    user, told = (
        event.get("cs-username", "-"),
        (event.get("cs-referer", "-"), event.get("cs-user-agent", "-")),
    )
    unfit = set(' "\n\\') & set(f"{target}{user}") or set('"\n') & set("".join(told)) or _edged(*told)
    if unfit or not set(event) <= _WEB or not _served(method, status):
        return None
    asked = f'"{method} {target} HTTP/1.1" {status} 512 "{told[0]}" "{told[1]}"'
    return f"203.0.113.9 - {user} [23/Nov/2026:03:12:09 +0900] {asked}"


def _iis(event: Event) -> str | None:
    """IIS in W3C's form, with the line of its columns."""
    stem, _, query = _target(event).partition("?")
    values = [
        *("2026-11-23", "03:12:09", "192.0.2.8", event.get("cs-method", "GET"), stem, query or "-", "443"),
        *(event.get("cs-username", "-"), "203.0.113.9", event.get("cs-user-agent", "-").replace(" ", "+")),
        *(
            event.get("cs-referer", "-"),
            event.get("sc-status", "200"),
            "0",
            "0",
            "15",
        ),
    ]
    fits = set(event) <= _WEB and not set(' "\n') & set("".join(values)) and _served(values[3], values[-4])
    return f"#Fields: {_W3C}\n{' '.join(values)}" if fits else None


def _squid(event: Event) -> str | None:
    """Squid's combined form, the one that has the agent."""
    said = dict(event)
    path = said.pop("c-uri", "") or said.pop("cs-uri", "") or said.pop("cs-uri-stem", "")
    host, method, status = (
        said.pop("cs-host", "www.example.jp"),
        said.pop("cs-method", "GET"),
        said.pop("sc-status", "200"),
    )
    url = (
        path if "://" in path else f"http://{host}{path if path.startswith('/') or not path else f'/{path}'}"
    )
    url += f"/x.{said.pop('c-uri-extension')}" if "c-uri-extension" in said else ""
    url += "".join(f"?{said.pop(name)}" for name in ("c-uri-query", KEYWORD) if name in said)
    agent = said.pop("c-useragent", "x")
    if (
        said
        or set(' "\n') & set(url)
        or set('"\n') & set(agent)
        or _edged(agent)
        or not _served(method, status)
    ):
        return None
    asked = f'"{method} {url} HTTP/1.1" {status} 512 "-" "{agent}" TCP_MISS:HIER_DIRECT'
    return f"10.0.0.5 - - [23/Nov/2026:03:12:09 +0900] {asked}"


def _bind(event: Event) -> str | None:
    name, kind = event.get("query", "x"), event.get("record_type", "A")
    if not set(event) <= {"query", "record_type"} or " " in name:
        return None
    asked = f"10.0.0.5#50000 ({name}): query: {name} IN {kind} +E(0)K (10.0.0.53)"
    return f"23-Nov-2026 03:12:09.123 queries: info: client @0x7f {asked}"


def _fortigate_event(event: Event) -> str | None:
    said = " ".join(f'{name}="{value}"' for name, value in event.items())
    return f'{_FORTIGATE} logid="0100044547" type="event" subtype="system" level="information" user="admin" {said} msg="m"'


def _fortigate_traffic(event: Event) -> str | None:
    ends = f"srcip={event.get('src_ip', '10.0.0.5')} dstip={event.get('dst_ip', '203.0.113.80')}"
    port = event.get("dst_port", "443")
    return (
        f'{_FORTIGATE} logid="0000000013" type="traffic" subtype="forward" level="notice" {ends} dstport={port} '
        'proto=6 action="accept" policyid=1'
    )


APPLICATIONS = ("jvm", "spring", "sql", "python", "ruby_on_rails", "velocity", "nodejs", "django")
_PROGRAMS: Mapping[str | None, str] = {
    "auth": "pkexec",
    "clamav": "clamd",
    "cron": "crontab",
    "guacamole": "guacd",
    "sshd": "sshd",
    "syslog": "named",
    "vsftpd": "vsftpd",
    None: "app",
}
FORMS: dict[tuple[Place, str], Form] = {
    **{
        ((one, "application", None), "syslog"): _line("<11>Nov 23 03:12:09 web01 app[99]: ERROR @")
        for one in APPLICATIONS
    },
    **{
        (("linux", None, service), form): write
        for service, program in _PROGRAMS.items()
        for form, write in _syslog(program).items()
    },
    (("linux", None, "sudo"), "syslog"): _sudo,
    (("linux", None, None), "audit"): _audit,
    (("linux", None, "auditd"), "file"): _audit,
    (("linux", None, "auditd"), "syslog"): _audit_by_syslog,
    (("linux", "process_creation", None), "sysmon"): _sysmon(1),
    (("linux", "process_creation", None), "auditbeat"): _beat("process", "start", "linux", _PROCESS),
    (("linux", "file_event", None), "sysmon"): _sysmon(11),
    (("linux", "file_event", None), "auditbeat"): _beat("file", "creation", "linux", _FILE),
    (("linux", "network_connection", None), "sysmon"): _sysmon(3),
    (("linux", "network_connection", None), "auditbeat"): _beat("network", "start", "linux", _CONNECTION),
    (("macos", "process_creation", None), "auditbeat"): _beat("process", "start", "macos", _PROCESS),
    (("macos", "file_event", None), "auditbeat"): _beat("file", "creation", "macos", _FILE),
    (("rpc_firewall", "application", None), "evtx"): _rpc_firewall,
    (("cisco", None, "aaa"), "command"): _line(
        f"{_IOS} %PARSER-5-CFGLOG_LOGGEDCMD: User:x  logged command:@"
    ),
    (("cisco", None, "syslog"), "ios"): _line(f"{_IOS} %X-6-Y: @"),
    (("cisco", None, "bgp"), "ios"): _line(f"{_IOS} %TCP-3-BADAUTH: @"),
    (("cisco", None, "ldp"), "ios"): _line(f"{_IOS} %LDP-5-PW: @"),
    (("juniper", None, "bgp"), "junos"): _line("<28>Nov 23 03:12:09 rt01 rpd[99]: @"),
    (("fortigate", None, "event"), "syslog"): _fortigate_event,
    (("fortios", None, "sslvpnd"), "crash"): _line(
        f'{_FORTIGATE} logid="0100032545" type="event" subtype="system" level="critical" action="crash" msg="sslvpnd @"'
    ),
    ((None, "webserver", None), "combined"): _combined,
    ((None, "webserver", None), "iis"): _iis,
    ((None, "proxy", None), "squid"): _squid,
    ((None, "dns", None), "bind"): _bind,
    ((None, "firewall", None), "fortigate"): _fortigate_traffic,
    ((None, "antivirus", None), "defender"): _defender,
    ((None, "database", None), "postgresql"): _line("2026-11-23 03:12:09.123 JST [99] LOG:  statement: @"),
    ((None, None, "apache"), "error"): _line(
        "[Mon Nov 23 03:12:09.000000 2026] [core:error] [pid 9] [client 203.0.113.9:4] @"
    ),
    ((None, None, "nginx"), "error"): _line("2026/11/23 03:12:09 [alert] 7#7: worker process 9 @"),
}
