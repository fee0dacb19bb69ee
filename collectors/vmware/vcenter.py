"""The texts of a vCenter Server Appliance, told apart by regular expressions.

Facts: VMware, "vCenter Server log files" and "Forward vCenter Server Appliance log files to remote syslog server";
the events of the vSphere API (`Event [key] [n-m] [time] [type] [severity] [user] [datacenter] [chain] [text]`);
Single Sign-On's audit log (websso, JSON); Envoy's access log as vCenter configures it; Java's GC log.
"""

from collections.abc import Mapping

_ISO = r"(?P<clock>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{1,9}(?:Z|[+-]\d\d:?\d\d)?)"
_LEVEL = r"\[?(?P<level>(?i:info|warning|warn|error|verbose|trivia|debug|fatal|panic|crit)) *\]?"
_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\]?)"
_FRONT = (
    rf"^\s*{_ISO} +{_LEVEL} +(?P<program>[A-Za-z][\w\-.]*)\[(?P<pid>\d+)(?::(?P<thread>[^\]]*))?\] "
    r"(?:\[Originator@\d+ sub=(?P<sub>[^\]]*?)(?: opID=(?P<opid>[^\s\]]+))?(?: sid=\S+?)?(?: user=[^\]]*)?\] *)?"
)
_EVENT = (
    r"^\s*Event \[(?P<key>\d+)\] \[(?P<part>\d+-\d+)\] \[(?P<clock>[^\]]+)\] \[(?P<type>[\w.]+)\] \[(?P<level>[^\]]*)\] "
    r"\[(?P<account>[^\]]*)\] \[(?P<place>[^\]]*)\] \[(?P<chain>[^\]]*)\] "
)

TABLE: Mapping[str, str] = {
    "event-sign-in": (
        _EVENT + rf"\[(?P<reason>(?P<what>Successful|Failed) login (?P<user>\S+) from (?P<src>{_IP}) .*?)\]?\s*$"
    ),
    "event-session": (
        _EVENT + rf"\[(?P<reason>User (?P<user>\S+)@(?P<src>{_IP}) logged (?P<what>in|out))"
        r"(?: as (?P<agent>.*?))?(?: \(.*?(?:user agent: (?P<agent2>.*?))?\))?\]?\s*$"
    ),
    "event-refused": _EVENT + rf"\[(?P<reason>Cannot login (?P<user>\S+)@(?P<src>{_IP}).*?)\]?\s*$",
    "event-ssh": _EVENT + r"\[(?P<reason>SSH session was (?P<what>opened|closed) for '(?P<user>[^'@]*)@(?P<src>[^']*)'.*?)\]?\s*$",
    "event-on": _EVENT + rf"\[(?P<reason>.*? on (?P<on>{_IP}) in .*?)\]?\s*$",
    "event": _EVENT + r"\[(?P<reason>.*?)\]?\s*$",
    "audit": rf"^\s*{_ISO} +{_LEVEL} +(?P<program>[A-Za-z][\w\-.]*)\[(?P<pid>\d+)(?::(?P<thread>[^\]]*))?\] "
    r"(?:\[CorId=(?P<cor>[^\]]*)\] )?\[auditlogger\] (?P<audit>\{.*\})\s*$",
    "request": (
        _FRONT + r"(?:\d{4}-\S+ )(?P<method>[A-Z]{3,12}) (?P<url>\S+) HTTP/(?P<version>[\d.]+) (?P<status>\d{1,3}) (?P<via>\S+) \S+ "
        rf"(?P<received_bytes>\d+) (?P<sent_bytes>\d+) .*?(?P<src>{_IP}):(?P<port>\d+) (?P<dst>{_IP}):(?P<dport>\d+) (?P<own>{_IP}):\d+ \S+"
    ),
    "quoted-request": (
        _FRONT + r'\[[^\]]*\] "(?P<method>[A-Z]{3,12}) (?P<url>\S+) HTTP/(?P<version>[\d.]+)" (?P<code>\d{1,3}) \S+ '
        r'(?P<received_bytes>\d+) (?P<sent_bytes>\d+) \S+(?: \S+)? "(?P<forwarded>[^"]*)" "(?P<agent>[^"]*)"'
    ),
    "fault": (
        _FRONT + r"(?P<reason>[^;<\[]{1,200}); <<.*?<TCP '(?P<src>[^' ]+) : (?P<port>\d+)'>, <TCP '(?P<dst>[^' ]+) : (?P<dport>\d+)'>"
        r".*?\(Fault cause: (?P<fault>[\w.]+)"
    ),
    "command": (
        r"^\s*(?:sudo|su)(?:\[\d+\]:| \S+ \S+ \S+) +(?P<user>\S+) : (?:.*?; )?PWD=(?P<pwd>.*?) ; "
        r"USER=(?P<becomes>\S+) ; COMMAND=(?P<command>.*)$"
    ),
    "said": _FRONT + r"(?:\[\w+\] )?(?:-- )?(?P<reason>\S.*?)\s*$",
    "collection": rf"^\s*{_ISO}: [\d.]+: \[?(?P<reason>.*?)\]?\s*$",
    "bracketed": rf"^\s*\[{_ISO}\] +{_LEVEL} +(?P<reason>.*?)\s*$",
    "threaded": rf"^\s*{_ISO} +\[(?P<thread>.*?) {_LEVEL} (?P<class>[\w.$]+) +(?:opId=(?P<opid>[^\]]*))?\] (?P<reason>.*?)\s*$",
}  # fmt: skip
OWN_CLOCK = (
    r"^\s*(?:\[\d{4}-\d\d-\d\dT[^\]]+\] +\[|Event \[\d+\]|\d{4}-\d\d-\d\dT\S+ +(?:\[|(?i:info|warning|warn|error|verbose|trivia"
    r"|debug|fatal|panic|crit) +[\w\-.]+\[)|\d{4}-\d\d-\d\dT\S+: [\d.]+: )"
)
APPS = (
    *("vpxd", "vpxd-main", "vpxd-svcs", "vsphere-ui", "vcsa-audit", "applmgmt", "applmgmt-audit", "sso", "websso"),
    *("ssoadminserver", "eam", "envoy", "envoy-access", "vmdird", "vmafdd", "content-library", "sps", "vapi-endpoint"),
    *("rhttpproxy-main", "ui-main", "lookupsvc", "trustmanagement", "updatemgr", "vstats", "vlcm", "sts", "certificatemanagement"),
)  # fmt: skip
