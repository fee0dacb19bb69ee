"""The texts of an ESXi host's daemons, told apart by regular expressions.

Facts: VMware, "Distributed Firewall Packet Logs" (NSX), "ESXi Log Files" and "Configuring syslog on ESXi hosts"; the
event texts of the vSphere API (`vim.event.*`); VOB ids from "VMkernel observations". Most lines of hostd, vpxa,
rhttpproxy and fdm stand behind `[Originator@6876 sub=… opID=… user=…]`, which `collectors.vmware.front` has taken off
before.
"""

from collections.abc import Mapping

from collectors.vmware.front import MARK

_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
_FRONT = rf"^{MARK}?\s*"
_ORIGIN = rf"^{MARK}\s*"
_ENDS = r".*?<TCP '(?P<src>[^' ]+) : (?P<port>\d+)'>, <TCP '(?P<dst>[^' ]+) : (?P<dport>\d+)'>"

TABLE: Mapping[str, str] = {
    # NSX's distributed firewall (dfwpktlogs, FIREWALL-PKTLOG): `INET match PASS domain-c7/1001 IN 60 TCP a/1->b/2 S`.
    "packet": (
        _FRONT + rf"(?:\S+ )?INET6? (?P<what>match|TERM)(?: (?P<verdict>PASS|DROP|REJECT))? (?P<rule>\S+) (?P<way>IN|OUT)(?: \d+)? "
        rf"(?:PROTO )?(?P<proto>[A-Z]+\d*|\d+)(?: [A-Z]+)? (?P<src>{_IP})(?:/(?P<port>\d+))?->(?P<dst>{_IP})(?:/(?P<dport>\d+))?"
        r"(?: (?P<sent>\d+)/(?P<got>\d+) (?P<sentbytes>\d+)/(?P<gotbytes>\d+))?"
    ),
    "observation": (
        _FRONT + r"(?:\S+ )?\[(?P<correlator>\w+Correlator)\] \d+us: +\[(?P<id>(?:vob|esx|vmkernel)[\w.\-]+)\] "
        r"(?P<reason>.*?(?: for '(?P<user>[^'@]*)@(?P<src>[^']*)'.*)?)$"
    ),
    "kernel": _FRONT + r"cpu\d+:\d+(?: opID=\w+)?\)(?:(?P<severity>WARNING|ALERT|INFO): )?(?P<reason>.*)$",
    "session": (
        _FRONT + r"(?:Event \d+ : )?(?P<reason>SSH session was (?P<what>opened|closed) for '(?P<user>[^'@]*)@(?P<src>[^']*)')"
    ),
    "logged-in": (
        _FRONT + rf"(?:Event \d+ : )?(?P<reason>User (?P<user>\S+)@(?P<src>{_IP}) logged in as (?P<agent>.*?))\s*$"
    ),
    "logged-out": (
        _FRONT + rf"(?P<reason>(?:Event \d+ : )?User (?P<user>\S+)@(?P<src>{_IP}) logged out(?: \(.*?user agent: (?P<agent>.*)\))?.*)$"
    ),
    "refused": _FRONT + rf"(?:Event \d+ : )?(?P<reason>Cannot login)(?: user)? (?P<user>\S+)@(?P<src>{_IP})",
    "accepted": (
        _FRONT + rf"(?P<reason>Accepted \S+) for (?:user )?(?P<user>\S+) from (?P<src>{_IP})(?: port (?P<port>\d+))?"
    ),
    "rejected": (
        _FRONT + rf"(?P<reason>(?:Failed \S+|Rejected password|Invalid user|error: PAM: .*?)) ?(?:for )?"
        rf"(?:invalid user |user |illegal user )?(?P<user>\S*) from (?P<src>{_IP})(?: port (?P<port>\d+))?"
    ),
    "disconnected": (
        _FRONT + r"(?P<reason>Received disconnect|Disconnected|Connection closed|Connection reset|Connection) (?P<what>from|by) "
        rf"(?:(?:authenticating |invalid )?user (?P<user>\S*) )?(?P<src>{_IP}) port (?P<port>\d+)"
    ),
    "command": _FRONT + r"(?:USER (?P<user>\S+) pid (?P<runs>\d+) cmd (?P<command>.*)|"
    r"\[(?P<user2>[\w.\-]+)\]: (?P<command2>.*))$",
    "started": _FRONT + r"(?:Util: )?(?:ForkExec\((?P<command>[^)]*)\)|Launching binary: (?P<command2>.*))",
    "file": (
        _FRONT + r"(?:Processing (?:file|\w*File): (?P<path>/.*?)|PublishReport: file (?P<path2>/\S+) (?P<reason>published as \S+)|"
        r"PluginLdr_Load: (?P<reason2>Loaded plugin '[^']*') from '(?P<path3>[^']*)')$"
    ),
    "endpoint": _FRONT
    + r"(?P<reason>New/Updated endpoint added|Resolved endpoint)\s?: "
    r"(?:.*?_serverNamespace = )?(?P<url>/\S*)(?:.* _port = (?P<dport>\d+))?",
    "joined": _FRONT + rf"(?P<reason>New proxy client){_ENDS}",
    "connecting": _FRONT + r"(?P<what>Attempting connection);.*?'(?P<host>[\w.\-]+):(?P<dport>\d+)'.*?, (?P<reason>last e: .*)$",
    "stream": _FRONT + rf"(?P<what>Failed to (?:read|write|shutdown)[^;<]*);{_ENDS}>*\)? ?(?P<reason>e: .*)?$",
    "failed": _FRONT + r"(?P<what>\w+)\((?P<path>/[^)]*)\) failed with (?P<reason>.*)$",
    "unreachable": _FRONT + r"(?P<reason>Could not get state for NFS volume) (?P<volume>\S+)",
    "account": (
        _FRONT + r"(?:Event \d+ : )?(?P<reason>(?:Password was (?P<what>changed) for account|Account) (?P<target>\S+)"
        r"(?: was (?P<what2>created|removed|updated|modified))?(?: on host .*)?)$"
    ),
    "setting": (
        _FRONT + r"(?:Event \d+ : )?(?P<reason>(?:SSH access|The ESXi command line shell|ESXi Shell|Lockdown mode|"
        r"Administrator access to the host|Firewall configuration|Permission|Role|Remote console|DCUI access)\b.{0,80}?"
        r"\b(?:has (?:been )?(?P<what>enabled|disabled|changed)|(?P<what2>created|changed|removed)).*)$"
    ),
    "machine": _FRONT
    + r"(?:Event \d+ : )?(?P<reason>(?:Virtual machine )?(?P<vm>.{1,120}?)(?: on .{1,120}?)? is (?P<what>powered o(?:n|ff)|suspended).*)$",
    "terminal": _FRONT + r"(?P<reason>Session (?P<what>opened|closed) for '(?P<user>[^']*)' on (?P<tty>\S+))",
    "connection": _ORIGIN + rf"(?P<reason>[^<]{_ENDS}.*)$",
    "said": _ORIGIN + r"(?:AddVM: |\[[\w:]+\] )?(?P<reason>\S.*?)$",
    "serial": _FRONT + r"QuerySerialNumber\b.*?number is (?P<serial>\S+)",
}  # fmt: skip

# name → event.category, event.type, event.outcome ("" where the text has none).
MEANINGS: Mapping[str, tuple[str, str, str]] = {
    "kernel": ("host", "info", ""),
    "session": ("session", "info", "success"),
    "logged-in": ("authentication,session", "start", "success"),
    "logged-out": ("session", "end", "success"),
    "refused": ("authentication", "start", "failure"),
    "accepted": ("authentication", "start", "success"),
    "rejected": ("authentication", "start", "failure"),
    "disconnected": ("authentication,session", "end", "success"),
    "terminal": ("session", "info", "success"),
    "account": ("iam", "user,change", "success"),
    "setting": ("configuration", "change", "success"),
    "machine": ("host", "change", "success"),
    "connection": ("network", "connection", ""),
    "command": ("process", "start", ""),
    "started": ("process", "start", ""),
    "file": ("file", "info", ""),
    "joined": ("network", "connection,start", ""),
    "connecting": ("network", "connection", ""),
    "stream": ("network", "connection,error", "failure"),
    "failed": ("file", "error", "failure"),
}
