r"""The texts of BIND 9's log categories as regular expressions with named groups.

Source: BIND 9 Administrator Reference Manual, "logging Block Grammar" (categories) and "The Query Log" (flags:
+ recursion asked, - not, S signed, E EDNS, T TCP, D DNSSEC, C checking disabled, V and K cookies), and the
messages of lib/ns/client.c, query.c, xfrout.c, update.c, lib/dns/zone.c, xfrin.c, resolver.c, validator.c.
Behind an answer's `->` stands its code, where a build or a relay writes answers to the query log.
"""

_CATEGORIES = (
    "client|cname|config|database|default|delegation-only|dispatch|dnssec|dnstap|edns-disabled|general|"
    "lame-servers|network|notify|nsid|queries|query-errors|rate-limit|resolver|responses|rpz|rpz-passthru|"
    "security|serve-stale|spill|sslkeylog|trust-anchor-telemetry|unmatched|update|update-security|xfer-in|"
    "xfer-out|zoneload"
)
_LEVELS = r"critical|error|warning|notice|info|debug(?: \d+)?"
_CLOCK = (
    r"(?:(?P<clock>\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3}|"
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:\d\d)?) )?"
)
_HEAD = rf"^{_CLOCK}(?:(?P<category>{_CATEGORIES}): )?(?:(?P<level>{_LEVELS}): )?"
_IP = r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*(?:%\w+)?"
_CLIENT = (
    rf"{_HEAD}client (?:@0x[0-9a-f]+ )?(?P<src>{_IP})#(?P<port>\d+)(?:/key (?P<key>\S+?))?"
    r"(?: \((?P<shown>[^)]*)\))?: (?:view (?P<view>\S+): )?(?:signer \"[^\"]*\" )?"
)
_CLASS = r"IN|CH|HS|ANY|NONE|CLASS\d+"
_RECORD = rf"(?P<name>[^'/]*)(?:/(?P<type>[A-Z0-9]+)/(?P<class>{_CLASS})|/(?P<class2>{_CLASS})|/(?P<type2>[A-Z0-9]+))?"
_ZONE = r"'(?P<zone>[^'/]+)(?:/(?P<class>\w+))?(?:/(?P<view2>\w+))?'"

TABLE = {
    "question": (
        rf"{_CLIENT}(?P<what>query|answer|response): (?P<name>\S+) (?P<class>{_CLASS}) (?P<type>\S+) "
        rf"(?:(?P<code2>[A-Z]+) )?(?P<flags>[+-]\S*)(?: \((?P<server>{_IP})\))?"
        r"(?: -> (?P<code>[A-Z]+)(?: (?P<counts>\d.*))?| (?P<data>\S.*))?"
    ),
    "refusal": (
        rf"{_CLIENT}(?:(?P<what>query(?: \(cache\))?|(?:bad )?zone transfer(?: request)?|update(?: forwarding)?|"
        rf"notify|recursion|request)[^']*'{_RECORD}'[^']*? )?(?P<result>denied|approved|refused)\b(?P<reason>.*)"
    ),
    "policy": (
        rf"{_CLIENT}(?:disabled )?rpz (?P<trigger>\S+) (?P<policy>\S+) rewrite (?P<name>[^\s/]+)"
        r"(?:/(?P<type>\w+)/(?P<class>\w+))? via (?P<rule>\S+)"
    ),
    "failure": (
        rf"{_CLIENT}query failed \((?P<code>[A-Z ]+)\) for (?P<name>[^\s/]+)/(?P<class>\w+)/(?P<type>\w+)"
        r"(?P<reason> at .*)?"
    ),
    "rate-limit": (
        rf"{_CLIENT}(?P<reason>(?:would )?(?:stop )?(?:rate )?limit.*? for (?P<name>\S+) "
        rf"(?P<class>{_CLASS}) (?P<type>\S+).*)"
    ),
    "transfer-out": rf"{_CLIENT}transfer of {_ZONE}: (?P<reason>.*)",
    "update": rf"{_CLIENT}(?:updating|forwarding update for) zone {_ZONE}: ?(?P<reason>.*)",
    "notify": rf"{_CLIENT}received notify for zone {_ZONE}(?P<reason>.*)",
    "client": rf"{_CLIENT}(?P<reason>.*)",
    "resolution": (
        rf"{_HEAD}(?P<reason>[^']*?) ?resolving '{_RECORD}'(?: \(in '[^']*'\?\))?"
        rf"(?:: (?P<src>{_IP})#(?P<port>\d+)|(?P<after> after .*)|$)"
    ),
    "validation": (
        rf"{_HEAD}(?:view \S+: )?validating @?(?:0x[0-9a-f]+: )?(?P<name>[^\s/]+)/(?P<type>[A-Z0-9]+): "
        r"(?P<reason>.*)"
    ),
    "transfer-in": rf"{_HEAD}transfer of {_ZONE} from (?P<src>{_IP})#(?P<port>\d+): (?P<reason>.*)",
    "policy-zone": (
        rf"{_HEAD}(?:rpz: )?(?P<zone>\S+): (?P<reason>reload .*|new zone version came too soon.*|"
        r"\(re\)loading policy zone .*)"
    ),
    "zone": (
        rf"{_HEAD}zone (?P<zone>[^\s/]+)(?:/(?P<class>\w+))?(?:/(?P<view2>\w+))?(?: \([^)]*\))?: "
        rf"(?P<reason>.*?(?:(?:from|master|primary) (?P<src>{_IP})#(?P<port>\d+).*)?)$"
    ),
    "server": (
        rf"{_HEAD}(?P<reason>(?:received control channel command|listening on IPv[46] interface|"
        r"managed-keys-zone|starting BIND|exiting$|shutting down).*)"
    ),
    "channel": rf"^{_CLOCK}(?P<category>{_CATEGORIES}): (?P<level>{_LEVELS}): (?P<reason>.*)",
}
APPS = ("named",)
FAILED = (
    r"(?i)\bfail|refused|unreachable|lame server|no valid signature|timed out|denied|insecure response|"
    r"FORMERR|SERVFAIL|REFUSED|unexpected RCODE|error"
)
