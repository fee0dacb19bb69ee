"""Junos messages in words, as devices without structured syslog write them, read into the same attributes.

Source: Juniper, "System Log Explorer", the message texts of RT_FLOW_SESSION_*, RT_SCREEN_*, WEBFILTER_URL_*, and
IDP_ATTACK_LOG_EVENT. A group's name is the attribute's with `_` for `-`. Newer releases add a connection tag (`0x0`) and
the kinds of NAT rules to a flow; both forms are read.
"""

import polars as pl

_ENDS = (
    r"(?P<source_address>[^\s/()]+)[/(](?P<source_port>\d+)\)?->"
    r"(?P<destination_address>[^\s/()]+)[/(](?P<destination_port>\d+)\)?"
)
_MAPPED = (
    r"(?P<nat_source_address>[^\s/]+)/(?P<nat_source_port>\d+)->"
    r"(?P<nat_destination_address>[^\s/]+)/(?P<nat_destination_port>\d+)"
)
_POLICY = r"(?P<policy_name>\S+) (?P<source_zone_name>\S+) (?P<destination_zone_name>\S+)"
_WHO = (
    r"(?: .*?(?P<username>[^\s()]+)\((?P<roles>[^)]*)\) (?P<packet_incoming_interface>[a-z]+[\w/\-]*\.\d+))?"
)
_PLACE = r"(?P<{0}_address>[0-9A-Fa-f.:]*?)(?::(?P<{0}_port>\d{{1,5}}))?"

TEXTS: tuple[str, ...] = (
    # session created, session closed <reason>:
    rf"^session (?:created|closed (?P<reason>[^:]+):?) {_ENDS} (?:0x\w+ )?(?P<service_name>\S+) {_MAPPED} "
    rf"(?:0x\w+ )?.*?\b(?P<protocol_id>\d{{1,3}}) {_POLICY} (?P<session_id_32>\d+)"
    r"(?: (?P<packets_from_client>\d+)\((?P<bytes_from_client>\d+)\) "
    rf"(?P<packets_from_server>\d+)\((?P<bytes_from_server>\d+)\) (?P<elapsed_time>\d+))?{_WHO}",
    rf"^session denied {_ENDS} (?:0x\w+ )?(?P<service_name>\S+) (?P<protocol_id>\d{{1,3}})\(\d+\) {_POLICY}{_WHO}",
    rf"^(?P<attack_name>[^!]+!) source: {_PLACE.format('source')}, (?:destination: {_PLACE.format('destination')}, )?"
    r"(?:protocol-id: (?P<protocol_id>\d+), )?zone name: (?P<source_zone_name>[^,]+), "
    r"interface name: (?P<packet_incoming_interface>[^,]+)(?:, action: (?P<action>\w+))?",
    rf"^WebFilter: ACTION=\"(?P<action>[^\"]*)\" .*?{_ENDS}(?: .*?REASON=\"(?P<reason>[^\"]*)\")?.*? URL=(?P<url>\S+)"
    r"(?: OBJ=(?P<obj>\S+))?(?: (?:username|USERNAME=?) ?(?P<username>\S+))?",
    rf"^IDP: .*?<{_ENDS}> for (?P<protocol_name>\w+) protocol.*? in policy (?P<policy_name>\S+?)\. "
    r"attack: .*?action=(?P<action>\w+), (?:threat-severity=(?P<threat_severity>\w+), )?name=(?P<attack_name>[^,]+)"
    r"(?:, NAT <(?P<nat_source_address>[^:>]+):(?P<nat_source_port>\d+)->(?P<nat_destination_address>[^:>]+):"
    r"(?P<nat_destination_port>\d+)>)?",
)


def attributes(frame: pl.DataFrame) -> pl.DataFrame:
    """`at` and a column for each attribute that the texts of the lines tell.

    frame: `at` UInt32, `said` String, one row a line; only lines that a text reads come back.
    """
    parts, rest = [], frame.select("at", "said")
    for text in TEXTS:
        mine = pl.col("said").str.contains(text)
        read = rest.filter(mine).select("at", pl.col("said").str.extract_groups(text).alias("_")).unnest("_")
        rest = rest.filter(~mine.fill_null(False))
        parts.append(read.rename({name: name.replace("_", "-") for name in read.columns if name != "at"}))
    return pl.concat(parts, how="diagonal")
