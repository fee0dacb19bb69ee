"""The texts of ASA and FTD messages by message id, as regular expressions with named groups.

Source: Cisco, "Cisco Secure Firewall ASA Series Syslog Messages" and "Firepower Threat Defense Syslog
Messages". Named groups are the raw fields of the source; an id that is not listed is read by the common
forms at the end (VPN session prefixes, `from … to …`), else it keeps its id, severity and text.
"""

_IP = r"[0-9A-Fa-f.:]+"
_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})"


def _end(name: str) -> str:
    """`interface:address/port(user)`; port and user may be missing."""
    return (
        rf"(?:(?P<{name}if>[^\s:]+): ?)?(?P<{name}>[^\s/(),]+)(?:/(?P<{name}port>\d+))?"
        rf"(?:\((?P<{name}user>[^)\s]*\\?[^)]*)\))?"
    )


def _pair(name: str) -> str:
    """`address/port` without interface."""
    return rf"(?P<{name}>[^\s/,]+)(?:/(?P<{name}port>\d+))?"


_MAPPED = r"\((?P<{0}nat>[^\s/)]+)/(?P<{0}natport>\d+)\)(?:\((?P<{0}natuser>[^)]*)\))?"
_REAL = r"(?P<{0}if>[^\s:]+):(?P<{0}>[^\s/(]+)/(?P<{0}port>\d+)(?:\s?\((?P<{0}user>[^)\s]*\\[^)]*)\))?"
_BUILT = (
    r"Built (?P<direction>inbound|outbound) (?P<proto>\w+) connection (?P<connection>\d+) for "
    + _REAL.format("src")
    + r" "
    + _MAPPED.format("src")
    + r" to "
    + _REAL.format("dst")
    + r" "
    + _MAPPED.format("dst")
    + r"(?:\s*\((?P<who>[^)]*)\))?"
)
_TORN = (
    r"Teardown (?P<proto>\w+) connection (?P<connection>\d+) for "
    + _REAL.format("src")
    + r" to "
    + _REAL.format("dst")
    + r" duration (?P<duration>\d+:\d+:\d+) bytes (?P<bytes>\d+)(?: (?P<reason>[^()]*))?(?:\((?P<who>[^)]*)\))?"
)
_ICMP = (
    r"(?:Built (?P<direction>inbound|outbound)|Teardown) (?P<proto>ICMP\w*) connection for "
    rf"faddr (?P<src>{_IP})/(?P<srcport>\d+)(?:\((?P<srcuser>[^)]*)\))? "
    rf"gaddr (?P<dstnat>{_IP})/(?P<dstnatport>\d+) laddr (?P<dst>{_IP})/(?P<dstport>\d+)"
    r"(?:\s*\((?P<dstuser>[^)]*)\))?(?: type (?P<icmptype>\d+) code (?P<icmpcode>\d+))?"
)
_TAIL = r"(?: flags (?P<flags>[A-Z ]*?))?\s*(?: due to (?P<cause>.+?))?\s+on interface (?P<on>\S+)"
_SESSION = (
    r"(?:Group <(?P<group>[^>]*)>|TunnelGroup <(?P<tunnel>[^>]*)> GroupPolicy <(?P<policy>[^>]*)>) "
    r"User(?: <(?P<user>[^>]*)>)? IP <(?P<src>[^>]*)> ?(?P<what>.*)"
)
_BARE_SESSION = r"^Group (?P<group>\S+) User (?P<user>\S+) IP (?P<src>[^\s,]+),? (?P<what>.*)"
_GROUP = (
    r"Group = (?P<group>[^,]*),(?: Username = (?P<user>[^,]*),)?(?: IP = (?P<src>[^,\s]*),)? ?(?P<what>.*)"
)
_AAA = (
    r"AAA (?:user )?(?P<aaa>\w+) (?P<result>\w+) ?: (?:reason = (?P<reason>[^:]*?) ?: )?"
    r"(?:server = *(?P<server>[^\s,:]+) ?[:,] |local database ?: )?[Uu]ser ?= ?(?P<user>.*?)(?: ?: "
    r"user IP = (?P<src>\S+))?\s*$"
)

MESSAGES: dict[str, str] = {
    "302013 302015": _BUILT,
    "302014 302016": _TORN,
    "302020 302021": _ICMP,
    "302022-302027": (
        r"(?:Built \w+\s+|Teardown )stub (?P<proto>\w+) connection for "
        + _REAL.format("src")
        + r" (?:\(\S+ )?to "
        + _REAL.format("dst")
        + r"(?: duration (?P<duration>[\d:]+) forwarded bytes (?P<bytes>\d+)(?: (?P<reason>.*\S))?)?"
    ),
    "302303 302304": (
        r"(?:Built|Teardown) (?P<proto>\w+) state-bypass connection (?P<connection>\d+) (?:from|for) "
        + _REAL.format("src")
        + r" (?:\(\S+ )?to "
        + _REAL.format("dst")
        + r"(?: \(\S+)?(?: duration (?P<duration>[\d:]+) bytes (?P<bytes>\d+)(?: (?P<reason>.*\S))?)?"
    ),
    "106002": (
        r"(?P<proto>\w+) connection denied by outbound list (?P<acl>\S+) src (?P<src>\S+)(?: (?P<srcport>\d+))? "
        r"dest (?P<dst>\S+)(?: (?P<dstport>\d+))?"
    ),
    "106001": (
        rf"(?P<direction>Inbound) (?P<proto>TCP) connection denied from {_pair('src')} to "
        rf"{_pair('dst')}{_TAIL}"
    ),
    "106006 106007": (
        rf"Deny (?P<direction>inbound) (?P<proto>UDP) from {_pair('src')} to "
        rf"{_pair('dst')}{_TAIL}"
    ),
    "106010 106014": rf"Deny (?P<direction>inbound) (?:protocol )?(?P<proto>\S+) src {_end('src')} dst {_end('dst')}",
    "106011": rf"Deny (?P<direction>inbound) \(No xlate\) (?P<proto>\w+) src {_end('src')} dst {_end('dst')}",
    "106012": r"Deny IP from (?P<src>[^\s,]+) to (?P<dst>[^\s,]+), IP options: (?P<reason>.*)",
    "106015": rf"Deny (?P<proto>TCP) \((?P<reason>[^)]*)\) from {_pair('src')} to {_pair('dst')}{_TAIL}",
    "106016 106017": (
        r"Deny IP (?P<reason>.+?) from \(?(?P<src>[^\s)]+)\)? to (?P<dst>\S+)(?: on interface "
        r"(?P<on>\S+))?"
    ),
    "106021 106022": (
        r"Deny (?P<proto>\S+) (?P<reason>reverse path check|connection spoof) from (?P<src>\S+) "
        r"to (?P<dst>\S+) on interface (?P<on>\S*[^\s.])"
    ),
    "106023": (
        rf"Deny (?:protocol )?(?P<proto>\S+) src {_end('src')} dst {_end('dst')}(?: \(?type "
        rf"(?P<icmptype>\d+), code (?P<icmpcode>\d+)\)?,?)? by access-group \"(?P<acl>[^\"]*)\""
    ),
    "106100 106102 106103": (
        r"access-list (?P<acl>\S+) (?P<result>permitted|denied|est-allowed) (?P<proto>\S+)"
        r"(?: for user '(?P<user>[^']*)')? "
        r"(?P<srcif>[^\s/]+)/(?P<src>[^\s(]+)\((?P<srcport>\d+)\)(?:\((?P<srcuser>[^)]*)\))? -> "
        r"(?P<dstif>[^\s/]+)/(?P<dst>[^\s(]+)\((?P<dstport>\d+)\)"
    ),
    "313004": (
        r"Denied (?P<proto>ICMP) type=(?P<icmptype>\d+), from (?:laddr )?(?P<src>\S+?) on interface (?P<on>\S+) to "
        r"(?P<dst>[^\s,]+?):? (?P<reason>no .*)"
    ),
    "313001 313008": (
        r"Denied (?P<proto>(?:IPv6-)?ICMP) type=(?P<icmptype>\d+),?(?: code=?\s?(?P<icmpcode>\d+))?,? "
        r"from (?:laddr )?(?P<src>\S+?),? (?:to (?P<dst>\S+) )?on interface (?P<on>[^\s:]+)"
    ),
    "313005": (
        r"(?P<reason>No matching connection for ICMP error message): (?P<proto>icmp\S*) src "
        r"(?P<srcif>[^\s:]+):(?P<src>[^\s(]+)(?:\((?P<srcuser>[^)]*)\))? "
        r"dst (?P<dstif>[^\s:]+):(?P<dst>[^\s(]+)(?:\((?P<dstuser>[^)]*)\))?"
        r"(?: \(type (?P<icmptype>\d+), code (?P<icmpcode>\d+)\))?"
    ),
    "313009": (
        r"Denied invalid (?P<proto>ICMP) code (?P<icmpcode>\d+), for "
        + _REAL.format("src")
        + r" (?:\(\S+ )?to "
        + _REAL.format("dst")
    ),
    "401004": r"Shunned packet: (?P<src>\S+) =+>? (?P<dst>\S+) on interface (?P<on>\S+)",
    "710001 710002 710003": (
        rf"(?P<proto>\w+) access (?P<result>requested|permitted|denied)(?: by ACL)? from "
        rf"{_pair('src')} to (?P<dstif>[^\s:]+):{_pair('dst')}"
    ),
    "710004 710005": (
        rf"(?P<proto>\w+) (?P<reason>connection limit exceeded|request discarded) from "
        rf"{_pair('src')} to (?P<dstif>[^\s:]+):{_pair('dst')}"
    ),
    "305011 305012": (
        r"(?:Built|Teardown) \w+ (?P<proto>\w+) translation from (?P<srcif>[^\s:]+)"
        r":(?P<src>[^\s/]+)/(?P<srcport>\d+)(?:\((?P<srcuser>[^)]*)\))? to (?P<dstif>[^\s:]+)"
        r":(?P<srcnat>[^\s/]+)/(?P<srcnatport>\d+)"
    ),
    "303002": (
        r"FTP connection from (?P<srcif>[^\s:]+):(?P<src>[^\s/]+)/(?P<srcport>\d+) to "
        r"(?P<dstif>[^\s:]+):(?P<dst>[^\s/]+)/(?P<dstport>\d+), user (?P<user>\S+) "
        r"(?P<what>Stored|Retrieved) file (?P<file>.+)"
    ),
    "304001": (
        r"(?:(?P<user>\S+)@)?(?P<src>[0-9A-Fa-f.:]+) Accessed (?:JAVA )?URL (?:\S+@)?(?P<dst>[0-9.]+|"
        r"[0-9A-Fa-f:]+):(?P<url>\S+)"
    ),
    "338001-338008 338201-338204": (
        r"Dynamic [Ff]ilter (?P<what>.*?) (?P<proto>\w+) traffic from "
        + _REAL.format("src")
        + r" "
        + _MAPPED.format("src")
        + r" to "
        + _REAL.format("dst")
        + r" "
        + _MAPPED.format("dst")
        + r"(?:, (?:destination|source) \S+ resolved from \w+ list: (?P<domain>[^\s,]+))?"
    ),
    "304002": r"(?P<what>Access denied) URL (?P<url>\S+) SRC (?P<src>\S+) DEST (?P<dst>\S+)(?: on interface (?P<on>\S+))?",
    "315011": (
        r"(?P<service>SSH) session from (?:(?P<src>[0-9A-Fa-f.:]+) )?on interface (?P<on>\S+) for user "
        r"\"?(?P<user>[^\"\s]*)\"? (?P<what>disconnected by SSH server|terminated normally)"
        r"(?:, reason: \"?(?P<reason>[^\"]*)\"?)?"
    ),
    "602303 602304": (
        r"IPSEC: An (?P<what>.+? SA) .*?between (?P<src>[0-9A-Fa-f.:]+) and (?P<dst>[0-9A-Fa-f.:]+)"
        r"(?: \(user ?= ?(?P<user>[^)\d]\S*)\))?"
    ),
    "402117-402120": r"IPSEC: (?P<what>.+?) from (?P<src>[0-9A-Fa-f.:]+) (?:\([^)]*\) )?to (?P<dst>[0-9A-Fa-f.:]*[0-9A-Fa-f])",
    "400000-400099": (
        r"I[PD]S:(?P<signature>\d+) (?P<what>.+?) from (?P<src>\S+) to (?P<dst>\S+) on interface "
        r"(?P<on>\S+)"
    ),
    "609001 609002": rf"(?P<what>Built|Teardown) local-host (?P<srcif>[^\s:]+):(?P<src>{_IP})(?: duration (?P<duration>\S+))?",
    "725001-725003 725006 725007 725014 725016": (
        r"(?P<what>[^:]*?)(?: with)? (?:client|server|peer) (?P<srcif>[^\s:]+):(?P<src>[^\s/]+)/(?P<srcport>\d+)"
        r"(?: to (?P<dst>[^\s/]+)/(?P<dstport>\d+))?(?: for (?P<tls>TLSv?[\d.]*|DTLSv?[\d.]*|SSLv?[\d.]*) session)?"
    ),
    "733101": r"(?:Host|Object|Subnet) (?:(?P<src>\S+) is (?P<what>attacking)|(?P<dst>\S+) is (?P<reason>targeted))",
    "109031": r"NT Domain Authentication Failed: (?P<reason>rejecting guest login) for (?P<user>\S*[^\s.])",
    "308001 308002": (
        r"(?P<reason>.*(?:incorrect|failed) for \d+ tries|.*password incorrect).*\(from (?P<src>[0-9A-Fa-f.:]+)\)"
    ),
    "409023": (
        r"(?P<what>Attempting AAA Fallback method) (?P<method>\S+) for (?P<aaa>\w+) request for user (?P<user>\S+) : "
        r"(?P<reason>.*)"
    ),
    "606001-606004": r"(?P<what>ASDM .*?session) number \d+ from (?P<src>[0-9A-Fa-f.:]+)",
    "717022 717028 717009 717027": (
        r"(?P<what>.*(?:successfully validated|validation failed)[^,]*?)(?:[.,].*)?"
        r"subject name: ?(?:.*?,)?(?i:cn)=(?P<user>[^,\s.]+(?:[. ][^,\s.]+)*)"
    ),
    "733102 733103": r"Threat-detection (?P<what>adds|removes) host (?P<src>\S+) (?:to|from) shun list",
    "109001 109005 109006 109007 109008": (
        rf"(?P<what>A\w+) (?P<result>start|succeeded|failed|permitted|denied)? ?for user "
        rf"'?(?P<user>[^\s']+)'? from {_pair('src')} to {_pair('dst')}(?: on interface "
        rf"(?P<on>\S+))?"
    ),
    "109201-109213": (
        r"UAUTH: Session=(?P<session>[^,]+), User=(?P<user>[^,]*), Assigned IP=(?P<src>[^,\s]+)"
        r", (?P<what>.*)"
    ),
    "111008": r"User '(?P<user>[^']*)' executed the '(?P<command>.*)' command",
    "111009": r"User '(?P<user>[^']*)' executed cmd: (?P<command>.*\S)",
    "111007": r"Begin configuration: (?P<src>\S+) (?P<what>reading from .*)",
    "113003": r"AAA group policy for user (?P<user>\S+) is being set to (?P<policy>\S+)",
    "111010": (
        r"User '(?P<user>[^']*)', running '(?P<app>[^']*)' from IP (?P<src>[^\s,]+), executed "
        r"'(?P<command>.*)'"
    ),
    "113004 113005 113012-113017": _AAA,
    "113008": r"AAA transaction status (?P<result>\w+) ?: (?:reason = (?P<reason>[^:]*?) ?: )?user = (?P<user>\S+)",
    "113006 113007": r"User (?P<user>\S+) (?P<what>(?:un)?locked(?: out)?.*)",
    "113009": r"AAA retrieved default group policy \(?(?P<policy>[^)\s]*)\)? for user (?:= )?(?P<user>\S+)",
    "113019": (
        r"Group = (?P<group>[^,]*), Username = (?P<user>[^,]*), IP = (?P<src>[^,]*), "
        r"(?P<what>Session disconnected)\. "
        r"Session Type: (?P<kind>[^,]*), Duration: (?P<duration>[^,]*), Bytes xmt: (?P<sent>\d+), "
        r"Bytes rcv: (?P<rcvd>\d+), Reason: (?P<reason>.*\S)"
    ),
    "113021": r"Attempted console login failed\.? [Uu]ser '?(?P<user>[^\s']+)'? (?P<reason>.*)",
    "199019": r"[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d (?P<app>[^\s\[:]+)\[(?P<pid>\d+)\]: (?P<what>.*)",
    "502101 502102": r"(?P<what>New user added to|User deleted from) local dbase: Uname: (?P<user>\S+)",
    "502103": r"User (?P<what>priv level changed): Uname: (?P<user>\S+) From: (?P<old>\d+) To: (?P<new>\d+)",
    "605004 605005": (
        r"Login (?P<result>denied|permitted) from (?P<src>[^\s/]+)/(?P<srcport>\w+) to "
        r"(?:(?P<dstif>[^\s:]+):)?(?P<dst>[^\s/]+)/(?P<service>\S+) for user \"(?P<user>[^\"]*)"
        r"\""
    ),
    "611101 611102": (
        r"User authentication (?P<result>succeeded|failed): (?:IP(?: address)?\s?[,:=]?\s?"
        r"(?P<src>[0-9A-Fa-f.:]*[0-9A-Fa-f])\s?[,:]? )?Uname: (?P<user>\S+)"
    ),
    "611103": r"User (?P<what>logged out): Uname: (?P<user>\S+)",
    "713228": (
        r"Group = (?P<group>[^,]*), (?:Username = (?P<user>[^,]*), )?IP = (?P<src>[^,]*), "
        r"(?P<what>Assigned private IP address) (?P<inside>\S+) to remote user"
    ),
    "716038 716039": (
        r"(?:Group <(?P<group>[^>]*)> User <(?P<user>[^>]*)> IP <(?P<src>[^>]*)> )"
        r"?Authentication: (?P<result>successful|rejected)(?:, group = (?P<tunnel>\S+) user = "
        r"(?P<who>[^,]+))?,? ?(?:Session Type: (?P<kind>\w+))?"
    ),
    "722051": (
        r"(?:Group <(?P<group>[^>]*)>|TunnelGroup <(?P<tunnel>[^>]*)> GroupPolicy "
        r"<(?P<policy>[^>]*)>) User <(?P<user>[^>]*)> IP <(?P<src>[^>]*)> (?:IPv4 )?Address "
        r"<(?P<inside>[^>]*)>(?: IPv6 address <(?P<inside6>[^>]*)>)? (?P<what>assigned to "
        r"session)"
    ),
    "737001-737099": r"IPAA: (?:Session=(?P<session>[^,]+), )?(?P<what>.*?)(?:(?P<src>\d{1,3}(?:\.\d{1,3}){3})\b.*)?$",
    "716003 716004": (
        r"Group <?(?P<group>[^>]*?)>? User <?(?P<user>[^>\s]*)>? IP <?(?P<src>[^>\s]*)>? "
        r"(?P<what>WebVPN access (?:GRANTED|DENIED)[^:]*): \"?(?P<url>[^\"\s]+)"
    ),
    "722055": (
        r"Group <?(?P<group>[^>]*?)>? User <?(?P<user>[^>]*?)>? IP <?(?P<src>[^>\s]*)>? (?P<what>Client Type): "
        r"(?P<agent>.*\S)"
    ),
    "750001-750099 751001-751099": (
        r"Local:(?P<src>\S+?):(?P<srcport>\d+) Remote:(?P<dst>\S+?)"
        r":(?P<dstport>\d+) Username:(?P<user>\S+) "
        r"(?P<what>(?:IKEv2 Group:(?P<group>\S+) IPv4 Address=(?P<inside>\S+))?.*?)(?: Reason: (?P<reason>.*))?$"
    ),
}

COMMON: tuple[str, ...] = (
    _SESSION,
    _BARE_SESSION,
    _GROUP,
    r"^Tunnel group search .*?subject name: (?:.*?,)?CN=(?P<user>[^,]+)",
    rf"(?i)(?P<proto>tcp|udp|icmp|protocol \d+) src {_end('src')} dst {_end('dst')}",
    r"^IP = (?P<src>[^,\s]+), (?P<what>.*)",
    r"(?:^|[\s:])(?:client )?[Uu]ser (?P<user>[^\s,]+), (?:Addr|IP(?:v[46])?) (?P<src>[0-9A-Fa-f.:]*[0-9A-Fa-f])",
    r"(?: : server = +(?P<server>\S+))? : user = (?P<user>\S+)$",
    r"(?i)(?P<proto>tcp|udp|icmp) .*?\bfrom (?:(?P<srcif>[\w\-]+):)"
    r"?(?P<src>\d{1,3}(?:\.\d{1,3}){3})(?:/(?P<srcport>\d+))?(?: \([^)]*\))? to (?:(?P<dstif>[\w\-]+):)"
    r"?(?P<dst>\d{1,3}(?:\.\d{1,3}){3})(?:/(?P<dstport>\d+))?",
    rf"\b[Ff]rom (?:(?P<srcif>[\w\-]+):)?(?P<src>{_ADDRESS})(?:/(?P<srcport>\d+))? to "
    rf"(?:(?P<dstif>[\w\-]+):)?(?P<dst>{_ADDRESS})(?:/(?P<dstport>\d+))?",
    rf"(?i)\b(?P<proto>tcp|udp|icmp) flow (?P<src>{_ADDRESS})(?:/(?P<srcport>\d+))? to (?P<dst>{_ADDRESS})"
    r"(?:/(?P<dstport>\d+))?",
    rf"\bsrc = (?P<src>{_ADDRESS}), dest = (?P<dst>{_ADDRESS})(?:, proto = (?P<proto>\w+))?",
    rf"\bremote-peer = (?P<src>{_ADDRESS})(?:.*?\busername = (?P<user>[^\s,]+))?",
    rf"^(?:Begin configuration: |Shun (?:added|deleted): )?(?P<src>{_ADDRESS})\b",
    rf"^Address (?P<dst>{_ADDRESS})\b",
    rf"\b(?:from|[Hh]ost) (?P<src>{_ADDRESS})\b",
    r"\b[Uu]ser (?:for )?['\"<](?P<user>[^'\">]+)['\">]",
)
