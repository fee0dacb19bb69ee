"""The texts that Postfix and the policy services beside it write, told apart by regular expressions.

Facts: Postfix manual pages smtpd(8), smtp(8), cleanup(8), qmgr(8), anvil(8), postscreen(8), header_checks(5) and the
sources' `msg_info` texts; postgrey's and pyspf-milter's / policyd-spf's logs; SpamAssassin's spamd. Names that
a client gave (HELO, addresses, headers) stand behind what Postfix itself found out and are matched last.
"""

from collections.abc import Mapping

_QUEUE = r"(?P<queue>NOQUEUE|[0-9A-F]{5,16}|[0-9A-Zb-df-hj-np-tv-z]{9,20}): "
_Q = rf"^(?:{_QUEUE})?"
_ADDRESS = r"[0-9A-Fa-f.:]+(?:%\w+)?"
_CLIENT = rf"(?P<client>[^\s\[\]<>,;=]*)\[(?P<ip>{_ADDRESS}|unknown)(?:/\d+)?\](?::(?P<port>\d+))?"
_SERVER = rf"(?P<server>[^\s\[\]<>,;=]+)\[(?P<serverip>{_ADDRESS}|[^\]]*)\](?::(?P<serverport>\d+))?"
_SESSION = (
    r"from=<(?P<from>[^>]*)>(?:,? to=<(?P<to>[^>]*)>)?(?: proto=(?P<proto>\S+))?(?: helo=<(?P<helo>[^>]*)>)?"
)
_PART = r"(?:mime-|nested-)?(?:header|body)"

TABLE: Mapping[str, str] = {
    "delivery": (
        _Q + r"to=<?(?P<to>[^>,\s]*)>?,(?: orig_to=<?(?P<orig>[^>,]*)>?,)? relay=(?P<relay>[^,\s]+),.{0,200}? "
        r"dsn=(?P<dsn>[\d.]+), status=(?P<status>[a-z]+)(?: \((?P<reason>.*)\))?"
    ),
    "header": (
        _Q + rf"(?P<action>[a-z]+): {_PART} (?:(?P<header>[A-Za-z0-9\-]+): ?)?(?P<value>.*?) "
        rf"from (?:local|{_CLIENT}); {_SESSION}(?:: (?P<reason>.*))?$"
    ),
    "header-changed": _Q + rf"(?P<action>[a-z]+): {_PART} (?P<header>[A-Za-z0-9\-]+): ?(?P<value>.*)$",
    "refused": (
        _Q + r"(?P<action>(?:milter-)?(?:reject|hold|discard)|reject_warning|filter|warn|redirect|bcc|replace|"
        rf"prepend|permit|header|pass|info|tls_policy): (?P<stage>[A-Z][A-Z\-]*) from {_CLIENT}:? ?"
        rf"(?P<reason>.*?)(?:; {_SESSION}.*)?$"
    ),
    "proxied": _Q
    + rf"(?P<action>proxy-(?:accept|reject)): (?P<stage>[A-Z][A-Z\-]*): (?P<reason>.*?); {_SESSION}",
    "queued": _Q + r"from=<(?P<from>[^>]*)>, (?:size=(?P<size>\d+), nrcpt=(?P<recipients>\d+)|status=(?P<status>[a-z]+))",
    "picked-up": _Q + r"uid=(?P<uid>\d+) from=<(?P<from>[^>]*)>",
    "accepted": _Q
    + rf"client={_CLIENT}(?:, sasl_method=(?P<method>[^,\s]+))?(?:, sasl_username=(?P<user>[^,\s]+))?",
    "message-id": _Q + r"(?:resent-)?message-id=<?(?P<id>[^>\s]*)>?",
    "sign-in": (
        rf"^(?:warning: )?{_CLIENT}: (?P<reason>SASL (?P<method>\S+) authentication (?:failed|failure|aborted).*?"
        r"(?:sasl_username=(?P<user>[^,\s]+).*)?)$"
    ),
    "connected": rf"^(?P<what>connect|disconnect) from {_CLIENT}",
    "tls-in": (
        rf"^(?P<trust>[A-Z]\w+) TLS connection (?:established|reused) from {_CLIENT}: (?P<tls>\S+) with cipher (?P<cipher>\S+)"
    ),
    "tls-out": (
        _Q + rf"(?P<trust>[A-Z]\w+) TLS connection (?:established|reused) to {_SERVER}: (?P<tls>\S+) with cipher (?P<cipher>\S+)"
    ),
    "unverified": (
        rf"^(?:warning: )?(?:(?P<ip>{_ADDRESS}): )?hostname (?P<claimed>\S+) "
        rf"(?P<what>verification failed|does not resolve to address (?P<ip2>{_ADDRESS}))(?:: (?P<reason>.*))?$"
    ),
    "broken": (
        r"^(?:warning: )?(?P<what>[A-Za-z_][A-Za-z_ \-]{2,60}?)(?: after (?P<stage>\S+)(?: \([^)]*\))?)? "
        rf"from {_CLIENT}(?:: (?P<reason>.*))?$"
    ),
    "answered": (
        _Q + rf"host {_SERVER} (?:said|refused to talk to me): (?P<reason>.*?)(?: \d{{1,4}})?$"
    ),
    "not-reached": _Q + rf"(?:warning: )?connect to {_SERVER}: (?P<reason>.*?)(?: \d{{1,4}})?$",
    "out": _Q + rf"(?P<what>[A-Za-z][A-Za-z \-]{{2,60}}?) (?:for|with|to|by) {_SERVER}(?:[: ]+(?P<reason>.*))?$",
    "remark": _Q + rf"warning: {_SERVER} (?P<reason>[a-z].*)$",
    "statistics": rf"^statistics: (?P<reason>max .{{1,60}}? for \([^:()]*:(?P<ip>{_ADDRESS})\).*)$",
    "statistics-other": r"^statistics: (?P<reason>.*)$",
    "screened": (
        r"^(?P<what>CONNECT from|PASS NEW|PASS OLD|(?:WHITE|ALLOW|BLACK|DENY)LISTED|DISCONNECT|"
        r"PREGREET .{0,40}?from|HANGUP .{0,40}?from|"
        rf"DNSBL rank .{{0,40}}?for|BARE NEWLINE from|COMMAND \S+ LIMIT from|NON-SMTP COMMAND from) \[(?P<ip>{_ADDRESS})\]:(?P<port>\d+)"
        rf"(?: to \[(?P<serverip>{_ADDRESS})\]:(?P<serverport>\d+))?(?:.*?: (?P<reason>.*))?"
    ),
    "policy": (
        _Q + r"action=(?P<action>[a-z]+), reason=(?P<reason>.*?)(?:, delay=(?P<delay>\d+))?, client_name=(?P<client>[^,\s]*), "
        rf"client_address=(?P<ip>{_ADDRESS})(?:/\d+)?(?:, sender=(?P<from>[^,\s]*))?(?:, recipient=(?P<to>[^,\s]*))?"
    ),
    "listed": rf"^whitelisted: {_CLIENT}",
    "spf": (
        r"^(?:Action: )?(?:(?P<action>[a-z0-9]+):? )?(?:Text: )?(?:Received-SPF: )?"
        r"(?P<status>[A-Z][a-z]+)(?: \((?P<reason>[^)]*)\))?;? identity=(?P<stage>\w+); "
        rf"client-ip=(?P<ip>{_ADDRESS}); helo=(?P<helo>[^;\s]*); envelope-from=(?P<from>[^;\s]*)"
        r"(?:; receiver=<?(?P<receiver>[^;>\s]*)>?)?"
    ),
    "spf-refused": (
        r"^(?P<code>[45]\d\d [45]\.\d+\.\d+) Message (?:rejected|deferred) due to: (?P<reason>.*?)\. Please see "
        rf"\S*?;id=(?P<from>[^;\s]*);ip=(?P<ip>{_ADDRESS})"
    ),
    "spam-result": (
        r"^(?:spamd: )?result: (?P<status>[Y.]) (?P<score>-?\d+) - (?P<reason>\S*) .*?\bsize=(?P<size>\d+),user=(?P<user>[^,]*),"
        rf".*?rhost=(?P<client>[^,]*),raddr=(?P<ip>{_ADDRESS}),rport=(?P<port>\d+)(?:,mid=<?(?P<id>[^,>]*)>?)?"
    ),
    "spam-connection": (
        rf"^(?:spamd: )?connection from (?P<client>\S*) ?\[(?P<ip>{_ADDRESS})\]:(?P<port>\d+) to port (?P<serverport>\d+)"
    ),
    "spam-message": r"^(?:spamd: )?processing message <?(?P<id>[^>\s]*)>? (?:aka \S+ )?for (?P<user>[^:\s]+):",
    "spam": r"^(?:spamd|prefork): (?P<reason>.*)$",
    "questioned": r"^dns: new_dns_packet: .*?: (?P<question>\S+)$",
    "other": rf"^{_QUEUE}(?P<reason>.*)$",
}  # fmt: skip

_SERVICES = (
    *("smtpd", "smtp", "lmtp", "qmgr", "cleanup", "pickup", "local", "virtual", "pipe", "bounce", "error", "master"),
    *("anvil", "scache", "tlsmgr", "tlsproxy", "postscreen", "verify", "trivial-rewrite", "dnsblog", "discard"),
    *("showq", "flush", "proxymap", "postfix-script", "sendmail", "postdrop", "postsuper", "postlog", "oqmgr"),
)  # fmt: skip
_INSTANCES = ("postfix/", "postfix/submission/", "postfix/smtps/", "postfix/submissions/", "postfix/relay/")
APPS = (
    *(instance + service for instance in _INSTANCES for service in _SERVICES),
    *("postfix", "postgrey", "policyd-spf", "spamd", "spampd"),
)
