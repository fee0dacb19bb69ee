"""PowerShell, Defender, services, Task Scheduler, Terminal Services, BITS, AppLocker, log clearing."""

from collections.abc import Callable

import polars as pl

from collectors.windows.common import domain_and_name
from collectors.windows.event import Columns, Event, address, basename
from collectors.windows.forms import DATA

CLASSIC_POWERSHELL = (
    "HostName",
    "HostVersion",
    "HostId",
    "HostApplication",
    "EngineVersion",
    "RunspaceId",
    "PipelineId",
    "CommandName",
    "CommandType",
    "ScriptName",
    "CommandPath",
    "CommandLine",
    "UserId",
    "ProviderName",
    "NewProviderState",
    "NewEngineState",
    "PreviousEngineState",
    "DetailSequence",
    "DetailTotal",
)


def classic_data(event: Event) -> Columns:
    """The `Name=value` lines inside a classic PowerShell event, as event data of those names."""
    if event.provider != "PowerShell":
        return {}
    text = event.data("Data")
    told = event.column("winlog.message") if text is None else text
    if told is None:
        return {}
    return {
        DATA + name: told.str.extract(rf"(?m)^\s*{name}=(.*?)\s*$", 1)
        for name in CLASSIC_POWERSHELL
        if not event.has(name)
    }


def powershell(event: Event) -> Columns:
    """Engine, pipeline, command and script block events."""
    host = event.data("HostApplication")
    context = event.data("ContextInfo")
    account = event.data("UserId") if event.provider == "PowerShell" else None
    if host is None and context is not None:
        host = context.str.extract(
            r"(?m)^\s*(?:Host Application|Application hôte|ホスト アプリケーション) = (.*?)\s*$", 1
        )
    program = (
        None
        if host is None
        else pl.coalesce(host.str.extract('^"([^"]+)"', 1), host.str.extract(r"(?i)^(.*?\.exe)\b", 1))
    )
    path = event.data("Path")
    return {
        **domain_and_name(account),
        "process.command_line": host,
        "process.executable": program,
        "process.name": basename(program),
        "powershell.file.script_block_id": event.data("ScriptBlockId"),
        "powershell.file.script_block_text": event.data("ScriptBlockText"),
        "file.path": path,
        "file.name": basename(path),
    }


def _services(event: Event) -> Columns:
    return {
        "service.name": event.data("ServiceName", "param1"),
        "service.state": event.data("param2") if event.code == "7036" else None,
    }


def _log_cleared(event: Event) -> Columns:
    return {
        "user.name": event.data("SubjectUserName"),
        "user.domain": event.data("SubjectDomainName"),
        "user.id": event.data("SubjectUserSid"),
        "event.outcome": pl.lit("success") if event.code in {"104", "1102"} else None,
    }


def _defender(event: Event) -> Columns:
    path = event.data("Path")
    file = None if path is None else path.str.extract(r"(?:^|file:_)([A-Za-z]:\\[^;]+|\\\\[^;]+)", 1)
    process = event.data("Process Name", "Process_Name")
    return {
        **domain_and_name(event.data("Detection User", "Detection_User", "User")),
        "rule.name": event.data("Threat Name", "Threat_Name", "ThreatName"),
        "file.path": file,
        "file.name": basename(file),
        "process.executable": process,
        "process.name": basename(process),
    }


def _tasks(event: Event) -> Columns:
    action = event.data("ActionName", "Path")
    return {
        **domain_and_name(event.data("UserContext", "UserName")),
        "process.executable": action,
        "process.name": basename(action),
    }


def _sessions(event: Event) -> Columns:
    account = event.data("User")
    named = domain_and_name(account)
    if account is None:
        named = {"user.name": event.data("Param1"), "user.domain": event.data("Param2")}
    return {
        **named,
        "source.ip": address(event.data("Address", "Param3", "ClientIP", "IPString")),
        "event.outcome": pl.lit("success") if event.code in {"21", "25", "1149"} else None,
    }


_GATEWAY_OUTCOMES = {"200": "success", "300": "success", "302": "success", "201": "failure", "301": "failure"}


def _gateway(event: Event) -> Columns:
    """Remote Desktop Gateway: the account, its address and the machine behind (EventInfo of the operational log)."""
    resource, seconds = event.data("Resource"), event.number("SessionDuration")
    machine, outcome = address(resource), _GATEWAY_OUTCOMES.get(event.code)
    return {
        **domain_and_name(event.data("Username")),
        "source.ip": address(event.data("IpAddress")),
        "destination.ip": machine,
        "destination.domain": None if machine is None else pl.when(machine.is_null()).then(resource),
        "event.duration": None if seconds is None else seconds * 1_000_000_000,
        "event.outcome": None if outcome is None else pl.lit(outcome),
    }


def _remote_access(event: Event) -> Columns:
    """Routing and Remote Access (VPN). Facts: the texts in Microsoft's routerlog.h (mprerror.h): behind the ids of the
    connection in braces come the account and, for 20271, where it connected from and why it was refused."""
    text = event.column("winlog.message")
    data = event.data("Data")
    said = None if data is None else data.str.replace(r"^(?:\{[^}\n]*\}\s*\n)+", "").str.split("\n")
    told = (
        None
        if text is None
        else text.str.extract(r"[Tt]he user (\S.*?)(?: has)? connected (?:on|from|to) ", 1)
    )
    refused = event.code == "20271"
    peer = None if text is None else text.str.extract(r" connected from (\S+) but failed", 1)
    why = None if text is None else text.str.extract(r"(?s)due to the following reason:\s*(.+?)\s*$", 1)
    return {
        **domain_and_name(_either(said, 0, told)),
        "source.ip": address(_either(said, 1, peer)) if refused else None,
        "event.reason": _either(said, 2, why) if refused else None,
        "event.outcome": {"20250": pl.lit("success"), "20271": pl.lit("failure")}.get(event.code),
    }


def _either(said: pl.Expr | None, at: int, told: pl.Expr | None) -> pl.Expr | None:
    """The value at this place of the event data, else what the text tells."""
    found = [
        one
        for one in (None if said is None else said.list.get(at, null_on_oob=True), told)
        if one is not None
    ]
    return pl.coalesce(found) if found else None


def _transfers(event: Event) -> Columns:
    url, name = event.data("url"), event.data("name", "jobTitle")
    size = event.number("fileLength")
    domain = None if url is None else url.str.extract(r"(?i)^[a-z][a-z0-9+.-]*://(?:[^/@]*@)?([^/:?#]+)", 1)
    return {
        "url.original": url,
        "url.full": url,
        "url.domain": domain,
        "url.path": None if url is None else url.str.extract(r"^[^:]+://[^/?#]+(/[^?#]*)", 1),
        "url.scheme": None if url is None else url.str.extract(r"^([A-Za-z][A-Za-z0-9+.-]*)://", 1),
        "destination.domain": domain,
        "file.name": basename(name),
        "file.path": None if name is None else pl.when(name.str.contains(r"\.\w+$")).then(name),
        "file.size": size,
    }


def _app_locker(event: Event) -> Columns:
    path = event.data("FullFilePath", "FilePath")
    message = event.column("winlog.message")
    if path is None and message is not None:
        path = message.str.extract(r"^(.+?) was (?:allowed|prevented)", 1)
    return {
        "file.path": path,
        "file.name": basename(path),
        "rule.name": event.data("RuleName"),
        "rule.id": event.data("RuleId"),
        "user.target.id": event.data("TargetUser"),
        "file.hash.sha256": None,
    }


def _dns_client(event: Event) -> Columns:
    return {"dns.question.name": event.data("QueryName"), "network.protocol": pl.lit("dns")}


def _directory(event: Event) -> Columns:
    """2946: a caller was given the password of a group managed service account, which the text names first."""
    message = event.column("winlog.message")
    if event.code != "2946" or message is None:
        return {}
    return {"user.target.name": message.str.extract(r"(?mi)^\s*CN=((?:\\,|[^,\r\n])+)", 1)}


def database(event: Event) -> Columns:
    """SQL Server: 18453 and 18454 a sign-in, 18452, 18456, 18470 and their like one that failed; the text names who."""
    message = event.column("winlog.message")
    if message is None or not event.code.startswith("184"):
        return {}
    succeeded = event.code in {"18453", "18454", "18455"}
    return {
        **domain_and_name(message.str.extract(r"(?i)\buser '([^']+)'", 1)),
        "event.outcome": pl.lit("success" if succeeded else "failure"),
    }


PROVIDERS: dict[str, Callable[[Event], Columns]] = {
    "PowerShell": powershell,
    "PowerShellCore": powershell,
    "Microsoft-Windows-PowerShell": powershell,
    "Service Control Manager": _services,
    "Microsoft-Windows-Eventlog": _log_cleared,
    "Microsoft-Windows-Windows Defender": _defender,
    "Microsoft-Windows-TaskScheduler": _tasks,
    "Microsoft-Windows-TerminalServices-LocalSessionManager": _sessions,
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager": _sessions,
    "Microsoft-Windows-TerminalServices-Gateway": _gateway,
    "RemoteAccess": _remote_access,
    "Microsoft-Windows-Bits-Client": _transfers,
    "Microsoft-Windows-AppLocker": _app_locker,
    "Microsoft-Windows-DNS-Client": _dns_client,
    "Microsoft-Windows-ActiveDirectory_DomainService": _directory,
}
