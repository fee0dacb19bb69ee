"""Trend Micro Apex One (endpoint protection), whose events Apex Central sends as CEF.

Facts: Trend Micro, "Apex Central Administrator's Guide", appendix "Syslog Content Mapping - CEF" (all log types,
2019 to Patch 7; also Control Manager's earlier layout). In detections `dst` is the endpoint's own address and
`dhost` its name, in network logs the far end. The class (`AV:File cleaned`) is the rule's id.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import cef
from collectors.source import Raw, Source
from collectors.trend_micro import cef_fields as f

source = Source(
    name="trendmicro.apex_one",
    title={
        "ja": "Trend Micro Apex One(Apex Central 経由)",
        "en": "Trend Micro Apex One (through Apex Central)",
    },
    zone_hint="internal",
    shape=cef(),
    always=r"\|Trend ?Micro[^|]*\|",
    recognise=r"CEF:\s?\d\|Trend Micro\|(?:Apex Central|Apex One|Control Manager|OfficeScan)\|",
    leftovers="trendmicro.apex_one",
    rename={
        "cef.vendor": "observer.vendor",
        "cef.product": "observer.product",
        "cef.version": "observer.version",
        "cef.class": "rule.id",
        "spt": "source.port",
        "dpt": "destination.port",
        "deviceExternalId": "event.id",
    },
    ignore=(
        *(
            "rt",
            "src",
            "dst",
            "shost",
            "dhost",
            "dvchost",
            "suser",
            "duser",
            "sproc",
            "deviceProcessName",
            "act",
        ),
        *(
            "fname",
            "filePath",
            "fileHash",
            "request",
            "msg",
            "cef.name",
            "cef.severity",
            "proto",
            "smac",
            "dmac",
        ),
    ),
)
# The class up to its colon (or the log's name) → event.kind, event.category, event.type.
_KINDS = {
    "AV": ("alert", "malware", "info"),
    "PML": ("alert", "malware", "info"),
    "VAD": ("alert", "malware", "info"),
    "FH": ("alert", "malware", "info"),
    "Spyware Detected": ("alert", "malware", "info"),
    "BM": ("event", "process", "info"),
    "EAC": ("event", "process", "info"),
    "DAC": ("event", "host", "denied"),
    "DLP": ("alert", "file", "denied"),
    "NCIE": ("event", "network", "info"),
    "CnC": ("alert", "network", "info"),
    "IPS": ("alert", "intrusion_detection,network", "info"),
    "WB": ("event", "web,network", "info"),
    "MS": ("event", "email", "info"),
    "FW": ("event", "network", "info"),
    "CnC Callback": ("alert", "network", "info"),
    "Data Loss Prevention": ("alert", "file", "info"),
    "Device Access Control Information": ("event", "host", "info"),
    "Attack Discovery Detections": ("alert", "intrusion_detection", "info"),
    "Managed Product Logon/Logoff Events": ("event", "authentication", "info"),
    "Product Auditing Events": ("event", "configuration", "info"),
    "Engine Update Status": ("event", "configuration", "change"),
    "Pattern Update Status": ("event", "configuration", "change"),
}
_NETWORK = ["NCIE", "CnC", "CnC Callback", "IPS", "WB", "FW"]
_ENDPOINT = [
    "Data Loss Prevention",
    "Device Access Control Information",
    "AV",
    "PML",
    "VAD",
    "FH",
    "Spyware Detected",
    "DLP",
    "DAC",
]
_BEHAVIOUR = {
    "0": "Compromised executable file",
    "1": "New startup program",
    "2": "Host file modification",
    "3": "Program library injection",
    "4": "New Internet Explorer plugin",
    "5": "Internet Explorer setting modification",
    "6": "Shell modification",
    "7": "New service",
    "8": "Security policy modification",
    "9": "Firewall policy modification",
    "10": "System file modification",
    "11": "Duplicated system file",
    "12": "Layered service provider",
    "13": "System process modification",
    "14": "Suspicious behavior",
    "100": "Newly encountered programs",
    "200": "Unauthorized file encryption",
    "1000": "Threat behavior analysis",
    "9999": "User-defined policy",
}


def _kind(raw: Raw) -> pl.Expr:
    prefix = raw["cef.class"].str.extract(r"^([A-Za-z][A-Za-z ]*?)(?::|$)")
    return e.first(pl.when(prefix.is_in(list(_KINDS))).then(prefix), raw["cef.name"])


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the kind of log; whether it was let through by the words of the action."""
    kind = _kind(raw)

    def of(part: int, rest: str) -> pl.Expr:
        return e.mapped(kind, {name: value[part] for name, value in _KINDS.items()}).fill_null(rest)

    done = e.present(raw["act"])
    # Behaviour monitoring and mail filters write a number: of these the reference's own example names 3 and 0.
    numbered = (kind == "BM") & (done == "3")
    unknown = (kind == "MS") & (done == "0")
    action = pl.when(numbered).then(pl.lit("Terminate")).when(unknown).then(pl.lit("Unknown")).otherwise(done)
    told = action.str.to_lowercase()
    stopped = told.str.contains("block|den|quarantin|terminat|delet|clean|drop|reset")
    text = e.present(raw["msg"])
    signed = kind == "Managed Product Logon/Logoff Events"
    said = text.str.to_lowercase()
    failed = said.str.contains("fail|unable|could not|unsuccess") | told.str.contains("fail|unable")
    reference = pl.when(kind.is_in(["MS"])).then(f.custom(raw, "CLF_ReasonCodeSource"))
    return {
        "@timestamp": e.time_or(f.time(e.present(raw["rt"])), pl.col("header.timestamp")),
        "event.kind": of(0, "event"),
        "event.category": of(1, "host").str.split(","),
        "event.type": pl.when(told.str.contains("^(?:pass|log|allow|assess)"))
        .then(e.texts("allowed"))
        .when(stopped & (of(2, "info") == "info"))
        .then(e.texts("denied"))
        .otherwise(of(2, "info").str.split(",")),
        "event.action": action,
        "event.code": e.first(reference, f.custom(raw, "CLF_ReasonCode"), e.present(raw["cat"])),
        "event.outcome": pl.when(failed.fill_null(False))
        .then(pl.lit("failure"))
        .when(signed | stopped)
        .then(pl.lit("success")),
        "event.reason": pl.when(~kind.is_in(["MS", "AV"])).then(text),
        "event.severity": e.whole(raw["cef.severity"]),
        "rule.name": e.first(
            f.custom(raw, "SLF_RuleID", "Rule", "Rule_Name"),
            pl.when(kind == "BM").then(_policy(raw)),
            pl.when(kind != raw["cef.name"]).then(raw["cef.name"]),
        ),
    }


def _policy(raw: Raw) -> pl.Expr:
    written = f.custom(raw, "Policy", "Policy ID")
    return e.first(e.mapped(written, _BEHAVIOUR), written)


@source.derive
def machines(raw: Raw) -> dict[str, pl.Expr]:
    """The endpoint and, where there is one, the far end."""
    kind = _kind(raw)
    own = kind.is_in(_ENDPOINT)
    far = pl.when(~own).then(e.ip(e.present(raw["dst"])))
    told = f.custom(
        raw, "Product/Endpoint_IP", "ApplicationControlEvent_ClientIPAddress_V4", "Endpoint IPv6 Address"
    )
    here = e.first(pl.when(own).then(e.ip(e.present(raw["dst"]))), e.ip(told))
    named = [
        pl.when(~raw[name].str.contains("@")).then(e.present(raw[name]))
        for name in ("dhost", "dvchost", "shost")
    ]
    away = kind.is_in(_NETWORK)  # there `dhost` is the far end's name
    named[0] = pl.when(~away).then(named[0])
    address = e.first(
        here, pl.when(kind == "Attack Discovery Detections").then(far), e.ip(raw["TMCMLogDetectedIP"])
    )
    said = raw["msg"].str.extract(r"IP address:\s*([0-9A-Fa-f.:]+)")
    return {
        "source.ip": e.first(e.ip(e.present(raw["src"])), here, e.ip(said)),
        "destination.ip": far,
        "destination.domain": pl.when(away).then(e.not_ip(e.present(raw["dhost"]))),
        "source.mac": e.present(raw["smac"]),
        "destination.mac": e.present(raw["dmac"]),
        "host.name": e.first(*named, e.present(raw["TMCMLogDetectedHost"])),
        "host.ip": pl.when(address.is_not_null()).then(pl.concat_list(address)),
        "observer.hostname": e.first(e.present(raw["ApexCentralHost"]), pl.col("header.host")),
        "network.transport": e.first(e.transport(raw["proto"]), e.present(raw["proto"]).str.to_lowercase()),
    }  # fmt: skip


@source.derive
def people(raw: Raw) -> dict[str, pl.Expr]:
    """Who was signed in, who owned the process, who wrote to whom."""
    mails = _kind(raw) == "MS"
    said = raw["msg"].str.extract(r"UserName:\s*([^,]+)")
    suser, duser = (e.present(raw[name]) for name in ("suser", "duser"))
    machine = suser == raw["shost"]  # a computer's own account is written as its name
    person = pl.when(~machine.fill_null(False)).then(suser)
    control = _kind(raw).is_in(["EAC", "AV"])
    who = e.first(pl.when(control).then(duser), person, duser, said)
    domain, name = f.account(pl.when(~mails).then(who))
    sender, recipient = (pl.when(mails).then(value) for value in (suser, duser))
    return {
        "user.name": name,
        "user.domain": e.first(domain, e.present(raw["deviceNtDomain"])),
        "source.user.name": pl.when(~mails & control).then(suser),
        "user.target.name": pl.when(_kind(raw) == "PML").then(duser),
        "email.from.address": pl.when(sender.is_not_null()).then(pl.concat_list(sender)),
        "email.to.address": pl.when(recipient.is_not_null()).then(recipient.str.split(";")),
        "email.subject": pl.when(mails).then(e.present(raw["msg"])),
    }


@source.derive
def objects(raw: Raw) -> dict[str, pl.Expr]:
    """File, process, address."""
    kind, name = _kind(raw), e.present(raw["fname"])
    folder, from_ = e.present(raw["filePath"]), f.custom(raw, "SLF_FileSource", "File_Path")
    whole = pl.when(folder.str.contains(r"[\\/]$")).then(pl.concat_str(folder, name.fill_null("")))
    written = pl.when(name.str.contains(r"^[A-Za-z]:\\|^[\\/]")).then(name)
    path = e.first(from_, whole, folder, written)
    runs = e.first(
        e.present(raw["deviceProcessName"]), e.present(raw["sproc"]), pl.when(kind == "EAC").then(name)
    )
    infected = f.custom(raw, "InfectionLocation", "Infection Source", "InfectionSource")
    address = e.first(e.present(raw["request"]), pl.when(infected.str.contains("^https?://")).then(infected))
    return {
        "file.path": pl.when(kind != "EAC").then(path),
        "file.name": pl.when(kind != "EAC").then(e.first(f.base(e.first(from_, name)), f.base(path))),
        **f.hashes(raw["fileHash"]),
        "process.executable": runs,
        "process.name": f.base(runs),
        "process.command_line": f.custom(raw, "ProcessCommandLine", "Process Command", "Command"),
        **e.url_columns(address),
        "message": e.present(raw["msg"]),
    }
