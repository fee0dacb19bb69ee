"""What OCSF's event classes and activities are in ECS's categorisation fields.

Facts: OCSF schema browser, versions 1.0 to 1.6, "Classes"; numbers of extensions keep the core number behind
the extension's (`201001` is Windows' Registry Key Activity). Remediation, discovery and the device and
inventory classes are ECS's configuration.
"""

_CLASSES: dict[int, tuple[str, ...]] = {
    1001: ("file",), 1002: ("driver",), 1003: ("host",), 1004: ("process",), 1005: ("library",),
    1006: ("configuration",), 1007: ("process",), 1008: ("process",), 1009: ("process",), 1010: ("process",),
    201001: ("registry",), 201002: ("registry",), 201003: ("host",),
    201004: ("process",),
    2001: ("threat",), 2002: ("vulnerability",), 2003: ("configuration",), 2004: ("threat",), 2005: ("threat",),
    2006: ("file",), 2007: ("configuration",),
    3001: ("iam",), 3002: ("authentication",), 3003: ("session", "iam"), 3004: ("iam",), 3005: ("iam",), 3006: ("iam",),
    4001: ("network",), 4002: ("network", "web"), 4003: ("network",), 4004: ("network",), 4005: ("network", "session"),
    4006: ("network", "file"), 4007: ("network", "session"), 4008: ("network", "file"), 4009: ("email",),
    4010: ("file", "network"), 4011: ("email", "file"), 4012: ("email", "web"), 4013: ("network",), 4014: ("network",),
    6001: ("web",), 6002: ("package",), 6003: ("api",), 6004: ("web",), 6005: ("database",), 6006: ("file",),
    6007: ("host",), 6008: ("host",),
    7002: ("file",), 7003: ("process",), 7004: ("network",),
}  # fmt: skip
_BY_CATEGORY: dict[int, tuple[str, ...]] = {
    1: ("host",),
    2: ("threat",),
    3: ("iam",),
    4: ("network",),
    5: ("configuration",),
    6: ("web",),
}
_FINDINGS = {2001, 2002, 2004, 2005, 2006, 2007}
_MALWARE = {2001, 2004}
_CHANGES = {"create": "creation", "delete": "deletion", "update": "change", "read": "access", "rename": "change",
            "set attributes": "change", "set security": "change", "modify": "change", "open": "access", "get": "access",
            "query": "access", "import": "creation", "export": "access", "install": "installation", "remove": "deletion",
            "enable": "change", "disable": "change", "password change": "change", "password reset": "change",
            "attach policy": "change", "detach policy": "change", "lock": "change", "unlock": "change",
            "encrypt": "change", "decrypt": "change", "mount": "access", "unmount": "access", "add user": "change",
            "remove user": "change", "assign privileges": "change", "revoke privileges": "change", "load": "start",
            "unload": "end", "launch": "start", "start": "start", "terminate": "end", "stop": "end", "logon": "start",
            "logoff": "end", "inject": "change", "error": "error"}  # fmt: skip
_NETWORK = {
    "open": "start",
    "close": "end",
    "reset": "end",
    "fail": "error",
    "refuse": "denied",
    "traffic": "connection",
}


def categories(class_uid: int | None, category_uid: int | None, *, malware: bool) -> list[str]:
    """event.category; malware: the event names malware, which a general finding need not."""
    found = _CLASSES.get(class_uid or 0) or _BY_CATEGORY.get(category_uid or 0, ())
    return list(found) + (["malware"] if malware and class_uid in _MALWARE else [])


def kind(class_uid: int | None) -> str:
    """event.kind: findings are alerts, inventories (5001 to 5018) states."""
    return "alert" if class_uid in _FINDINGS else "state" if class_uid in range(5001, 5019) else "event"


def types(class_uid: int | None, activity: str | None, action: int | None) -> list[str]:
    """event.type by the activity's name and what a control did (1 allowed, 2 denied)."""
    table = _NETWORK if class_uid in range(4000, 5000) and activity in _NETWORK else _CHANGES
    found = [table[activity]] if activity in table else []
    if class_uid == 3001:
        found.append("user")
    if class_uid == 3006:
        found.append("group")
    if class_uid == 4003:
        found.append("protocol")
    if action in (1, 2):
        found.append("allowed" if action == 1 else "denied")
    return list(dict.fromkeys(found)) or ["info"]
