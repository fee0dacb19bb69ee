"""Cisco Identity Services Engine: RADIUS and TACACS+ authentications, accounting, administration, system.

Source: Cisco, "Cisco ISE Syslogs" (message catalogue and format: category, message id, total and number of segments,
time with offset, sequence, message code, severity, class: text, attributes `name=value` with `, ` between them). A
long message comes in segments: the first has the time, each is an event with what it holds. Commas inside a value
are written as `\\,`.
"""

import polars as pl

from collectors import expressions as e
from collectors.cisco.ise_attributes import IseMessages
from collectors.source import Raw, Source

_MAC = r"((?:[0-9A-Fa-f]{2}[-:]){5}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{12}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})"

source = Source(
    name="cisco.ise",
    title={"ja": "Cisco ISE(認証・アクセス制御)", "en": "Cisco Identity Services Engine"},
    shape=IseMessages(),
    recognise=(
        r"\bCISE_\w+ \d+ \d+ \d+ |\bCISE_Alarm (?:INFO|WARN|ERROR|FATAL): "
        r"|^\d{10} \d+ \d+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d \d+ \d{4,5} "
    ),
    constants={"event.kind": "event", "observer.vendor": "Cisco", "observer.product": "ISE"},
    leftovers="cisco.ise",
    rename={
        "code": "event.code",
        "level": "log.level",
        "category": "event.provider",
        "DestinationIPAddress": "destination.ip",
        "DestinationPort": "destination.port",
        "Protocol": "network.protocol",
        "FailureReason": "event.reason",
        "Failure Reason": "event.reason",
        "Error Message": "event.reason",
        "Cause": "event.reason",
        "AuthorizationPolicyMatchedRule": "cisco.ise.authorization_rule",
        "AcsSessionID": "cisco.ise.session_id",
        "Acct-Input-Octets": "source.bytes",
        "Acct-Output-Octets": "destination.bytes",
        "Acct-Input-Packets": "source.packets",
        "Acct-Output-Packets": "destination.packets",
    },
    ignore=(
        "said",
        "clock",
        "Device Port",
        "IpAddress",
        "text",
        "UserName",
        "User-Name",
        "User",
        "AdminName",
        "Called-Station-ID",
        "class",
        "Admin",
    ),
)


@source.derive
def who(raw: Raw) -> dict[str, pl.Expr]:
    """Person, device that asked, and machine. The network device is the source, as ISE names it first."""
    called = e.first(raw["Called-Station-ID"].str.extract(_MAC), raw["PeerAddress"].str.extract(_MAC))
    calling = e.first(
        *(
            raw[name].str.extract(_MAC)
            for name in (
                "Calling-Station-ID",
                "Calling Station Id",
                "EndPointMACAddress",
                "MacAddress",
                "Endpoint",
                "User-Name",
            )
        ),
        pl.col("text").str.extract(rf"^\d{{10}} \d+ \d+ +{_MAC}:"),
        raw["Response"].str.extract(rf"UserName={_MAC}"),
    )
    # The text of sshd: `Failed password for root from 10.0.0.9 port 36661 ssh2`.
    shell = (
        raw["OperationMessageText"]
        .str.extract_groups(r"(?:\bfor (?:invalid user )?(\S+) |disconnect )from ([0-9A-Fa-f.:]+) port (\d+)")
        .struct
    )
    machine = raw["User-Name"].str.extract(r"^host/(.+)$")
    account = e.first(
        *(
            e.present(raw[name])
            for name in ("UserName", "User", "AD-Account-Name", "AdminName", "Admin", "User-Name", "user")
        ),
        pl.col("text").str.extract(r"\b(?:UserName|Admin)=([^\\,;]+)"),
        shell.field("1"),
    )
    return {
        "@timestamp": e.time_or(
            raw["clock"]
            .str.replace(r" ([+-]\d\d):?(\d\d)$", " ${1}${2}")
            .str.to_datetime("%Y-%m-%d %H:%M:%S%.f %z", time_unit="us", time_zone="UTC", strict=False),
            pl.col("header.timestamp"),
        ),
        "user.name": account,
        "user.domain": e.present(raw["AD-Domain"]),
        "source.ip": e.first(
            *(
                e.ip(raw[name])
                for name in (
                    "Device IP Address",
                    "AdminIPAddress",
                    "NAS-IP-Address",
                    "NAS IP Address",
                    "NAD Address",
                    "Network device IP",
                    "Remote-Address",
                    "IpAddress",
                )
            ),
            shell.field("2"),
        ),
        "source.port": e.first(raw["Device Port"], shell.field("3")),
        "client.ip": e.first(e.ip(raw["Framed-IP-Address"]), e.ip(raw["Remote-Address"])),
        "source.mac": _mac(calling),
        "destination.mac": _mac(called),
        "destination.domain": e.present(raw["PeerName"].str.replace(r"^CN=", "")),
        "rule.id": pl.col("text").str.extract(r"\bMatchedPolicyID=([0-9A-Fa-f\-]+)"),
        "host.name": machine,
        "observer.hostname": pl.col("header.host"),
        "process.command_line": raw["CmdSet"]
        .str.replace_all(r"\[? ?Cmd(?:Arg)?AV=| ?\]?$|<cr>", "")
        .str.strip_chars(),
        "rule.name": e.first(
            *(
                e.present(raw[name])
                for name in ("IdentityPolicyMatchedRule", "ISEPolicySetName", "PolicySetName")
            )
        ),
        "user_agent.original": e.first(
            e.present(raw["UserAgent"]),
            e.present(raw["User-Agent"]),
            pl.col("text").str.extract(r"\bUser-Agent=([^,]+)"),
        ),
        "message": raw["said"],
    }


def _mac(written: pl.Expr) -> pl.Expr:
    """Any of the three ways in ECS's."""
    bare = written.str.replace_all(r"[-:.]", "").str.to_uppercase()
    return bare.str.replace_all(r"(..)", "$1-").str.strip_suffix("-")


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by class and words; segments after the first have the category's name alone, alarms their title."""
    said, alarm = raw["said"], raw["category"] == "CISE_Alarm"
    kind = e.first(raw["class"], raw["category"].str.replace_all("_", "-", literal=True))
    accounting = kind.str.contains("Accounting")
    signing = (
        kind.str.contains(r"Authentication|Attempt|Login|Device-Administration")
        | (alarm & said.str.contains(r"\b(?:RADIUS|EAP|Supplicant|Authorization Failed|Account Locked)"))
        | said.str.contains(r"(?i)\bauthenticat|\blogged (?:in|out|off)\b")
    ) & ~accounting
    failed = said.str.contains(r"(?i)\bfailed\b|rejected|dropped|denied|unsuccessful")
    worked = said.str.contains(r"(?i)\bsucceeded\b|passed|successfully (?:authenticated|logged)") | (
        raw["AuthenticationStatus"] == "AuthenticationPassed"
    )
    start = said.str.contains(r"(?i)accounting start")
    stop = said.str.contains(r"(?i)accounting stop")
    return {
        "event.kind": pl.when(alarm).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.action": said.str.to_lowercase(),
        "event.category": pl.when(signing)
        .then(e.texts("authentication"))
        .when(accounting)
        .then(e.texts("session", "network"))
        .when((alarm & ~said.str.contains("Configuration")) | kind.str.contains("System-Sta"))
        .then(e.texts("host"))
        .otherwise(e.texts("configuration")),
        "event.type": pl.when(start)
        .then(e.texts("start"))
        .when(stop | said.str.contains(r"(?i)\blogged (?:off|out)\b|\blogged out from\b"))
        .then(e.texts("end"))
        .when(signing & failed)
        .then(e.texts("denied"))
        .when(signing & worked)
        .then(e.texts("start"))
        .when(said.str.contains(r"(?i)^added configuration"))
        .then(e.texts("creation"))
        .when(said.str.contains(r"(?i)^deleted configuration"))
        .then(e.texts("deletion"))
        .when(said.str.contains(r"(?i)^changed configuration|^configuration changed"))
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(worked)
        .then(pl.lit("success"))
        .when(failed & ~accounting)
        .then(pl.lit("failure")),
    }
