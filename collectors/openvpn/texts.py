"""The messages of an OpenVPN server, told apart by regular expressions, and what each means.

Facts: OpenVPN 2.4 to 2.6, the `msg` texts of forward.c, multi.c, ssl.c, ssl_verify.c, tun.c, route.c and
socket.c; openvpn-auth-ldap for the messages about LDAP; pfSense for `user 'name' authenticated`. In front stand the time of
`--log` files (older: ctime) and the peer as `name/address:port` (the name once the certificate or the password was accepted).
"""

from collections.abc import Mapping

_V6 = r"[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.:]*?"
_IP = rf"(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|{_V6})"
_CLOCK = (
    r"(?:(?P<clock>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}) "
    r"(?:us=(?P<us>\d{1,6}) )?)?"
)
_PEER = (
    rf"(?:(?:(?P<name>[^/\[\]]{{1,128}})/)?(?:(?:udp|tcp)[46]?:)?\[?(?P<ip>{_IP})\]?:(?P<port>\d{{1,5}}) )?"
)
_FRONT = rf"^{_CLOCK}{_PEER}"
_AF = rf"\[AF_INET6?\](?P<at>{_IP}):(?P<atport>\d{{1,5}})"

TABLE: Mapping[str, str] = {
    "connected": _FRONT + rf"(?P<reason>(?:\[(?P<common>.{{0,128}}?)\] )?Peer Connection Initiated with {_AF}.*)$",
    "signed-in": _FRONT
    + r"(?P<reason>TLS: Username/Password authentication (?P<what>succeeded|deferred) for username '(?P<user>[^']*)'.*|"
    r"user '(?P<user2>[^']*)' authenticated)$",
    "refused": (
        _FRONT + r"(?P<reason>(?:user '(?P<user2>[^']*)' could not authenticate\.?$|AUTH-PAM: BACKGROUND: user '(?P<user>[^']*)' failed|"
        r"PLUGIN_CALL: .*PLUGIN_AUTH_USER_PASS_VERIFY (?:failed|status=1)|TLS Auth Error|AUTH: Received control message: AUTH_FAILED|"
        r"SENT CONTROL \[(?P<common>[^\]]*)\]: 'AUTH_FAILED|TLS Error: Auth Username/Password).*)$"
    ),
    "certificate": _FRONT
    + r"(?P<reason>VERIFY (?P<what>OK|ERROR|EKU OK|KU OK|X509NAME \w+|EKU ERROR|KU ERROR)(?:: depth=(?P<depth>\d+))?.*)$",
    "tls-error": _FRONT
    + rf"(?P<reason>(?:TLS|TLS_ERROR|OpenSSL|Authenticate/Decrypt|AEAD Decrypt|WARNING: Bad)[^\[]*[Ee]rror.*?(?:from {_AF}.*)?)$",
    "cipher": _FRONT + r"(?P<direction>Incoming|Outgoing) Data Channel: (?P<reason>.*)$",
    "ended": (
        _FRONT + r"(?P<reason>(?:SIG[A-Z]+\d?\[[^\]]*\] received, client-instance (?:exiting|restarting)"
        r"|Connection reset, restarting|\[[^\]]*\] Inactivity timeout|(?:\[[^\]]*\] )?Inactivity timeout).*)$"
    ),
    "assigned": (
        _FRONT + rf"(?P<reason>MULTI(?:_sva)?: (?:Learn: (?P<assigned>{_IP})(?:/\d+)? -> |primary virtual IP for .*?: (?P<assigned2>{_IP})$"
        rf"|pool returned IPv4=(?P<assigned3>{_IP})).*)$"
    ),
    "tcp": _FRONT + rf"(?P<reason>TCP connection established with {_AF}.*)$",
    "pool": _FRONT + rf"(?P<reason>ifconfig_pool_read)\(\), in='(?P<name2>[^,']*),(?P<assigned>{_IP})?[^']*'",
    "pool-size": _FRONT + rf"(?P<reason>IFCONFIG POOL IPv[46]): base=(?P<base>{_IP}) size=(?P<size>\d+)",
    "gateway": _FRONT + r"(?P<reason>ROUTE\d?_GATEWAY .*?IFACE=(?P<egress>\S+).*)$",
    "device": _FRONT + r"(?P<reason>TUN/TAP device (?P<device>\S+) opened.*)$",
    "address": _FRONT + r"(?P<reason>(?:net_\w+|/s?bin/ip|/sbin/ifconfig).*? (?:dev|for|set) (?P<device>[\w.\-]+)(?: .*)?)$",
    "ldap-refused": (
        _FRONT + r'(?P<reason>Incorrect password supplied for LDAP DN "(?P<dn>[^"]*)"|LDAP user "(?P<user>[^"]*)" was not found'
        r"|(?i:ldap_?.?bind) .*)"
    ),
    "information": (
        _FRONT + r"(?P<reason>(?:peer info: |TLS: |Control Channel|Data Channel|Diffie-Hellman |Socket Buffers: |MULTI: |IFCONFIG POOL|"
        r"succeeded -> ifconfig|PUSH: |SENT CONTROL|OpenVPN \d|library versions|Initialization Sequence|WARNING: |NOTE: |"
        r"DEPRECATED|Re-using |LZO |LZ4 |Could not determine|Listening for|(?:UDP|TCP)v[46](?:_\w+)? link |Listen|"
        r"Closing TUN|event_wait|MANAGEMENT|CRL: |PLUGIN_|RADIUS-PLUGIN|PID_ERR|Outgoing |Incoming |Expected |Local |"
        r"Timers: |Delayed exit|Exiting|SIG[A-Z]+\d?\[|UID set|"
        r"ECDH curve|tls-crypt|TUN/TAP|do_ifconfig|GID set|chroot|Cipher |read U|write |ERROR: ).*)$"
    ),
    "peer": rf"^{_CLOCK}(?:(?P<name>[^/\[\]]{{1,128}})/)?(?:(?:udp|tcp)[46]?:)?\[?(?P<ip>{_IP})\]?:(?P<port>\d{{1,5}}) (?P<reason>.*)$",
    "other": r"^(?P<clock>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:us=(?P<us>\d{1,6}) )?(?P<reason>\S.*)$",
}  # fmt: skip

# name → event.category, event.type, event.outcome ("" where the text has none).
MEANINGS: Mapping[str, tuple[str, str, str]] = {
    "connected": ("authentication,session", "start", "success"),
    "signed-in": ("authentication", "start", "success"),
    "refused": ("authentication", "start", "failure"),
    "ldap-refused": ("authentication", "start", "failure"),
    "tls-error": ("network", "error", "failure"),
    "ended": ("session,network", "end", ""),
    "tcp": ("network", "connection,start", ""),
    "assigned": ("network", "info", ""),
}
APPS = ("openvpn", "ovpn", "ovpn-server", "openvpn-server", "openvpn(server)")
