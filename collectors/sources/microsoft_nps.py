"""Windows Network Policy Server (RADIUS), which Always On VPN, RRAS and 802.1X sign in through: its log
as CSV (database format) or XML (DTS-compliant).

Facts: Microsoft, "Interpret NPS Database Format Log Files" (the order of the columns, packet types, reason codes,
values of the attributes); the XML is in `collectors.microsoft.dts`.
The RADIUS client, a VPN server or an access point, sends the packet: it is the source.
The calling station is where the person is: `client.ip`, and `source.nat.ip`, since the VPN server stands before it.
Times are the server's local time without a zone; where the RADIUS client sent `Event-Timestamp` (seconds since
1970), that is the time.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.microsoft.dts import STARTS, DtsEvents
from collectors.shapes import delimited, either
from collectors.source import Raw, Source

_COLUMNS = (
    *("ComputerName", "ServiceName", "Record-Date", "Record-Time", "Packet-Type", "User-Name"),
    *("Fully-Qualified-User-Name", "Called-Station-ID", "Calling-Station-ID", "Callback-Number"),
    *("Framed-IP-Address", "NAS-Identifier", "NAS-IP-Address", "NAS-Port", "Client-Vendor", "Client-IP-Address"),
    *("Client-Friendly-Name", "Event-Timestamp", "Port-Limit", "NAS-Port-Type", "Connect-Info", "Framed-Protocol"),
    *("Service-Type", "Authentication-Type", "NP-Policy-Name", "Reason-Code", "Class", "Session-Timeout"),
    *("Idle-Timeout", "Termination-Action", "EAP-Friendly-Name", "Acct-Status-Type", "Acct-Delay-Time"),
    *("Acct-Input-Octets", "Acct-Output-Octets", "Acct-Session-Id", "Acct-Authentic", "Acct-Session-Time"),
    *("Acct-Input-Packets", "Acct-Output-Packets", "Acct-Terminate-Cause", "Acct-Multi-Ssn-ID", "Acct-Link-Count"),
    *("Acct-Interim-Interval", "Tunnel-Type", "Tunnel-Medium-Type", "Tunnel-Client-Endpt", "Tunnel-Server-Endpt"),
    *("Acct-Tunnel-Conn", "Tunnel-Pvt-Group-ID", "Tunnel-Assignment-ID", "Tunnel-Preference"),
    *("MS-Acct-Auth-Type", "MS-Acct-EAP-Type", "MS-RAS-Version", "MS-RAS-Vendor", "MS-CHAP-Error"),
    *("MS-CHAP-Domain", "MS-MPPE-Encryption-Types", "MS-MPPE-Encryption-Policy", "Proxy-Policy-Name"),
    *("Provider-Type", "Provider-Name", "Remote-Server-Address", "MS-RAS-Client-Name", "MS-RAS-Client-Version"),
)  # fmt: skip

source = Source(
    name="microsoft.nps",
    title={
        "ja": "Windows NPS(RADIUS、Always On VPN)",
        "en": "Windows Network Policy Server (RADIUS, Always On VPN)",
    },
    zone_hint="perimeter",
    shape=either(STARTS, DtsEvents(), delimited(_COLUMNS, header="ComputerName", least=17)),
    always=r',"?(?:IAS|RAS)"?,|<Timestamp data_type=',
    recognise=(
        r'^\s*"[^",]{1,64}","(?:IAS|RAS)",\d\d/\d\d/\d{4},\d\d:\d\d:\d\d,\d{1,3},|^\s*<Event>\s*<Timestamp data_type='
    ),
    leftovers="microsoft.nps",
    constants={"event.kind": "event", "observer.vendor": "Microsoft", "observer.product": "NPS"},
    ignore=(*_COLUMNS, "Timestamp", "SAM-Account-Name"),
)
_KEPT = ("Packet-Type", "Reason-Code", "Class", "NAS-Port-Type", "Authentication-Type", "EAP-Friendly-Name",
         "Acct-Session-Id", "Acct-Terminate-Cause", "Tunnel-Type", "NAS-Identifier", "Client-Friendly-Name",
         "Called-Station-ID", "Calling-Station-ID", "MS-RAS-Client-Version")  # fmt: skip
# Packet type → event.action, event.category, event.type, event.outcome.
_PACKETS = {
    "1": ("access-request", "authentication", "info", ""),
    "2": ("access-accept", "authentication", "start", "success"),
    "3": ("access-reject", "authentication", "start", "failure"),
    "4": ("accounting-request", "network,session", "info", ""),
    "5": ("accounting-response", "network", "info", ""),
    "11": ("access-challenge", "authentication", "info", ""),
}
_ACCOUNTING = {"1": "start", "2": "end", "3": "info", "7": "start", "8": "end"}
_PROTOCOLS = {"1": "ppp", "2": "slip"}
_REASONS = {
    "0": "granted",
    "1": "internal error",
    "2": "access denied",
    "8": "the specified user account does not exist",
    "16": "authentication failed: unknown user name or wrong password",
    "17": "the account's password must be changed",
    "22": "the EAP type cannot be processed by the server",
    "23": "an error occurred during the EAP exchange",
    "32": "the account is restricted",
    "33": "the password must be changed",
    "34": "the account is disabled",
    "35": "the account has expired",
    "36": "the account is locked out",
    "48": "no network policy matched the connection request",
    "49": "no connection request policy matched",
    "64": "the dial-in lock stands against the person",
    "65": "the account's dial-in permission is denied",
    "66": "the way of signing in is not enabled in the policy",
    "262": "a message was incomplete or its signature did not verify",
    "265": "the certificate chain was issued by an authority that is not trusted",
    "295": "the certificate chain ends in a root that is not trusted",
}


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by packet type; accounting starts and ends sessions."""
    packet = raw["Packet-Type"].str.strip_chars()

    def of(part: int) -> pl.Expr:
        return e.mapped(packet, {key: value[part] for key, value in _PACKETS.items()})

    session = pl.when(packet == "4").then(e.mapped(e.present(raw["Acct-Status-Type"]), _ACCOUNTING))
    sent = times.parsed(e.present(raw["Event-Timestamp"]), ["epoch"], "UTC")
    date = pl.concat_str(
        raw["Record-Date"].str.strip_chars(), raw["Record-Time"].str.strip_chars(), separator=" "
    )
    written = e.first(raw["Timestamp"], date)
    clock = e.local(written.str.to_datetime("%m/%d/%Y %H:%M:%S%.f", time_unit="us", strict=False))
    return {
        "@timestamp": e.time_or(sent, clock),
        "event.action": of(0),
        "event.category": of(1).fill_null("network").str.split(","),
        "event.type": pl.concat_list(e.first(session, of(2), pl.lit("info"))),
        "event.outcome": e.present(of(3)),
        "event.code": e.present(raw["Reason-Code"]),
        "event.reason": e.mapped(e.present(raw["Reason-Code"]), _REASONS),
        "event.duration": e.whole(raw["Acct-Session-Time"]).clip(0, 10**9) * 10**9,
        **{f"microsoft.nps.{name}": e.present(raw[name]) for name in _KEPT},
    }


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """The person, where the person is, and the RADIUS client that asked."""
    full = e.first(e.present(raw["SAM-Account-Name"]), e.present(raw["Fully-Qualified-User-Name"]))
    domain, account = e.domain_user(full)
    plain_domain, plain = e.domain_user(e.present(raw["User-Name"]))
    mail = pl.when(plain.str.contains(r"^[^@\s]+@[^@\s]+$")).then(plain)
    name = e.first(account.str.extract(r"([^/\\]+)$"), mail.str.extract(r"^([^@]+)"), plain)
    calling = e.present(raw["Calling-Station-ID"])
    machine = name.str.starts_with("host/")
    return {
        "user.name": pl.when(~machine.fill_null(False)).then(name),
        "user.domain": e.first(domain, plain_domain, mail.str.extract(r"@(.+)$")),
        "user.email": mail,
        "source.ip": e.first(e.ip(e.present(raw["Client-IP-Address"])), e.ip(e.present(raw["NAS-IP-Address"]))),
        "source.nat.ip": e.ip(calling),
        "source.nat.port": pl.when(e.ip(calling).is_not_null()).then(e.whole(raw["NAS-Port"])),
        "source.mac": calling.str.extract(r"^([0-9A-Fa-f]{2}(?:[:\-][0-9A-Fa-f]{2}){5})").str.to_uppercase()
        .str.replace_all(":", "-", literal=True),
        "client.ip": e.ip(calling),
        "client.nat.ip": e.ip(e.present(raw["Framed-IP-Address"])),
        "source.bytes": e.whole(raw["Acct-Input-Octets"]),
        "destination.bytes": e.whole(raw["Acct-Output-Octets"]),
        "source.packets": e.whole(raw["Acct-Input-Packets"]),
        "destination.packets": e.whole(raw["Acct-Output-Packets"]),
        "network.protocol": e.mapped(e.present(raw["Framed-Protocol"]), _PROTOCOLS),
        "rule.name": e.first(e.present(raw["NP-Policy-Name"]), e.present(raw["Proxy-Policy-Name"])),
        "host.name": e.present(raw["ComputerName"]),
        "message": pl.col("message"),
    }  # fmt: skip
