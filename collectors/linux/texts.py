r"""The texts of OpenSSH, PAM, sudo, su and account tools as regular expressions, and what each means.

Sources of the facts: OpenSSH portable (auth.c, auth2.c, packet.c, session.c, sshd.c: the texts), sudoers(5)
"LOG FORMAT", Linux-PAM (pam_unix, pam_faillock), shadow-utils, util-linux login, systemd-logind. A user name
is whatever the far side sent, so expressions take the last `from … port …` of a line: a name like
`x from 192.0.2.1 port 1` cannot fake the address.
"""

_FROM = r"from (?P<src>\S+)(?: port (?P<port>\d+))?"
_WHO = r"(?P<invalid>(?:invalid|illegal) user )?(?P<user>.*)"
_PEER = r"(?P<src>[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f])(?: port (?P<port>\d+))?"
_PAM = r"^pam_(?P<module>\w+)\((?P<service>[^:)]+):"
TABLE = {
    "accepted": (
        rf"^Accepted (?P<method>\S+) for (?P<user>.*?)(?: {_FROM}(?: ssh2)?(?:: (?P<keytype>\S+) "
        rf"(?:ID .* )?(?:SHA256:(?P<fingerprint>\S+)|\S+).*)?)?$"
    ),
    "failed": rf"^(?:error: )?Failed (?P<method>\S+) for {_WHO} {_FROM}(?: ssh2)?(?:: .*)?$",
    "too-many": rf"maximum authentication attempts exceeded for {_WHO} {_FROM}(?: ssh2)?(?: \[preauth\])?$",
    "invalid-user": (
        rf"^Invalid user (?P<user>.*) {_FROM}$|^input_userauth_request: invalid user "
        rf"(?P<user2>.*?)(?: \[preauth\])?$"
    ),
    "not-allowed": (
        r"^(?:error: )?User (?P<user>.*) from (?P<src>\S+) not allowed because (?P<reason>.*)$|"
        r"^ROOT LOGIN REFUSED FROM (?P<src2>\S+)"
    ),
    "no-identification": (
        rf"(?:Did not receive identification string|Bad protocol version identification '.*'|"
        rf"banner exchange: Connection) {_FROM}"
    ),
    "timeout": (
        r"Timeout before authentication for (?:connection from )?(?P<src>[0-9A-Fa-f.:]+)(?: "
        r"port (?P<port>\d+)| to )"
    ),
    "received-disconnect": (
        r"^(?:error: )?Received disconnect from (?P<src>[0-9A-Fa-f.:]+?)(?: port (?P<port>\d+))"
        r"?: ?\d+: ?(?P<reason>.*?)(?: \[preauth\])?$"
    ),
    "connection": rf"^Connection {_FROM} on (?P<dst>\S+) port (?P<dstport>\d+)",
    "closed": (
        r"^(?:Connection (?P<how>closed|reset) by|Disconnected from|Disconnecting)(?P<kind> "
        r"authenticating| invalid| illegal)?(?: user (?P<user>.*))? "
        r"(?P<src>[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+|UNKNOWN)(?: port (?P<port>\d+))?(?:: "
        r"(?P<reason>.*?))?(?: \[preauth\])?$"
    ),
    "pam-alert": rf"^(?:error: )?PAM: (?P<reason>.+?) for {_WHO} from (?P<src>\S+?)(?: \[preauth\])?$",
    "postponed": rf"^Postponed (?P<method>\S+) for {_WHO} {_FROM}(?: ssh2)?(?: \[preauth\])?$",
    "key-refused": r"^(?:Authentication refused: |Refused key )(?P<reason>.*)",
    "session-started": rf"^Starting session: (?P<what>.*?) for (?P<user>.*) {_FROM}(?: id \d+)?$",
    "session-ended": rf"^Close session: user (?P<user>.*) {_FROM}(?: id \d+)?$",
    "subsystem": r"^subsystem request for (?P<what>\S+)(?: by user (?P<user>.*))?$",
    "volume": r"^Transferred: sent (?P<sent>\d+), received (?P<rcvd>\d+) bytes",
    "no-agreement": rf"^(?:fatal: )?Unable to negotiate with {_PEER}: (?P<reason>.*?)(?: \[preauth\])?$",
    "name-mismatch": (
        r"^reverse mapping checking getaddrinfo for (?P<claimed>\S+) \[(?P<src>[^\]]+)\] failed|"
        r"^Address (?P<src2>\S+) maps to (?P<claimed2>\S+), but this does not map back"
    ),
    "dropped": (
        r"^(?:error: )?(?:drop connection #\d+ from \[(?P<src>[^\]]+)\]:(?P<port>\d+) on "
        r"\[(?P<dst>[^\]]+)\]:(?P<dstport>\d+)|beginning MaxStartups throttling)"
    ),
    "refused": r"^refused connect from \S+ \((?:::ffff:)?(?P<src>[0-9A-Fa-f.:]+)\)",
    "peer-error": rf"^(?P<reason>Read error|Write error|Magic value check failed).*? from (?:remote host )?{_PEER}",
    "protocol": (
        r"^(?:(?:fatal|error): )?(?:ssh_dispatch_run_fatal|kex_\w+|ssh_exchange_identification|mm_\w+|"
        rf"ssh_packet_\w+|Read from socket failed|Write failed): (?:Connection from (?:{_PEER}): )?"
        r"(?P<reason>.*?)(?: \[preauth\])?$"
    ),
    "disconnecting": (
        r"^Disconnecting: (?P<reason>.*?)(?: for (?:(?:invalid|illegal) user )?(?P<user>\S+))?"
        r"(?: from (?P<src>\S+) port (?P<port>\d+)(?: ssh2)?)?(?: \[preauth\])?$"
    ),
    "console-login": (
        r"^(?P<what>FAILED LOGIN|LOGIN|ROOT LOGIN)(?: SESSION)?(?: \(\d+\))? (?:on|ON) '?(?P<tty>[^\s']+)'?"
        r"(?: FROM '?(?P<src>[^\s']+)'?)?(?: (?:FOR|BY) '?(?P<user>[^\s',]+)'?)?(?:, (?P<reason>.*))?"
    ),
    "logind": r"^(?P<what>New) session \S+ of user (?P<user>\S+?)\.?$|^(?P<gone>Removed) session ",
    "password": r"^(?:pam_\w+\([^)]*\): )?password changed for (?P<user>\S+)",
    "pam-session": (
        rf"(?:{_PAM}session\): |^)session (?P<what>opened|closed) for user (?P<user>[^\s(]+)"
        rf"(?:\(uid=(?P<uid>\d+)\))?(?: by (?P<by>[^\s(]*)\(uid=(?P<byuid>\d+)\))?"
    ),
    "pam-failure": (
        rf"(?:{_PAM}auth\): authentication failure|^authentication failure|^\d+ more authentication failures?|"
        r"PAM \d+ more authentication failures?); "
        rf"logname=\S* uid=(?P<uid>\d*) euid=\d* tty=(?P<tty>\S*) ruser=(?P<ruser>\S*) "
        rf"rhost=(?P<src>\S*)(?:\s+user=(?P<user>\S+))?"
    ),
    "pam-granted": rf"{_PAM}\w+\): user '(?P<user>[^']*)' granted access",
    "pam-other": rf"{_PAM}(?P<stage>\w+)\): (?P<what>.*)",
    "sudo": (
        r"^(?P<by>\S+) : (?:(?P<reason>[^;=]+?) ; )?(?:HOST=\S+ ; )?(?:TTY=(?P<tty>\S+) ; )"
        r"?PWD=(?P<pwd>.*?) ; (?:USER=(?P<user>\S+) ; )?(?:GROUP=\S+ ; )?(?:TSID=\S+ ; )"
        r"?(?:ENV=.*? ; )?COMMAND=(?P<command>.*)$"
    ),
    "su": (
        r"^(?P<what>FAILED SU|FAILED su|Successful su)? ?(?:for (?P<user2>\S+) by (?P<by2>\S+)|"
        r"\(to (?P<user>\S+)\) (?P<by>\S+) on (?P<tty>\S+))"
    ),
    "account": r"^(?P<what>new user|delete user|new group|changed user)(?:: name=|\s')(?P<user>[^,'\s]+)",
    "group-member": (
        r"^(?P<what>add|remove|delete)d? '(?P<user>[^']+)' (?:to|from) (?:shadow )?group "
        r"'(?P<group>[^']+)'"
    ),
    "configuration": (
        r"^main: sshd: (?P<reason>.*)|^Server listening on (?P<dst>\S+) port (?P<dstport>\d+)|"
        r"^Received signal (?P<signal>\d+); terminating"
    ),
    "error": r"^(?P<level>fatal|error): (?P<reason>.*)$",
}
APPS = (
    "sshd",
    "sshd-session",
    "sshd-auth",
    "sudo",
    "su",
    "login",
    "systemd-logind",
    "useradd",
    "userdel",
    "usermod",
    "groupadd",
    "passwd",
    "chpasswd",
    "polkitd",
    "gdm-password",
    "cron",
    "CRON",
    "crond",
)

MEANINGS = {
    "accepted": ("authentication", "start", "ssh-login", "success"),
    "failed": ("authentication", "start", "ssh-login", "failure"),
    "too-many": ("authentication,session", "end", "authentication-attempts-exceeded", "failure"),
    "invalid-user": ("authentication", "info", "invalid-user", "failure"),
    "not-allowed": ("authentication", "denied", "user-not-allowed", "failure"),
    "no-identification": ("network", "connection", "no-identification", "failure"),
    "timeout": ("authentication,network", "end", "authentication-timeout", "failure"),
    "received-disconnect": ("network", "connection,end", "disconnect-received", "success"),
    "connection": ("network", "connection,start", "connection-opened", "success"),
    "closed": ("network", "connection,end", "connection-closed", "success"),
    "pam-alert": ("authentication", "start", "authentication-failure", "failure"),
    "postponed": ("authentication", "info", "authentication-postponed", "unknown"),
    "key-refused": ("authentication", "denied", "key-refused", "failure"),
    "session-started": ("session", "start", "session-opened", "success"),
    "session-ended": ("session", "end", "session-closed", "success"),
    "subsystem": ("session", "start", "subsystem-requested", "success"),
    "volume": ("session,network", "info", "bytes-transferred", "success"),
    "no-agreement": ("network", "connection,error", "negotiation-failed", "failure"),
    "name-mismatch": ("network", "info", "name-does-not-map-back", "failure"),
    "dropped": ("network", "connection,denied", "connection-dropped", "success"),
    "refused": ("network", "connection,denied", "connection-refused", "success"),
    "peer-error": ("network", "connection,error", "connection-failed", "failure"),
    "protocol": ("network", "connection,error", "protocol-error", "failure"),
    "disconnecting": ("authentication,session", "end", "disconnecting", "failure"),
    "console-login": ("authentication", "start", "console-login", "success"),
    "logind": ("session", "start", "session-opened", "success"),
    "pam-session": ("session", "info", "session", "success"),
    "pam-failure": ("authentication", "start", "authentication-failure", "failure"),
    "pam-granted": ("authentication", "allowed", "access-granted", "success"),
    "pam-other": ("authentication", "info", "pam", ""),
    "sudo": ("process", "start", "sudo", "success"),
    "su": ("authentication,session", "start", "su", "success"),
    "account": ("iam", "user", "account", "success"),
    "group-member": ("iam", "group,change", "group-member", "success"),
    "password": ("iam", "user,change", "password-changed", "success"),
    "configuration": ("configuration", "info", "configuration", "success"),
    "error": ("process", "error", "sshd-error", "failure"),
    "other": ("host", "info", "", ""),
}
