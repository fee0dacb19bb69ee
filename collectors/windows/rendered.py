"""The data of a Windows event out of its message text, for senders that forward the text and no data (Snare, Splunk).

A message is blocks (`Subject:`) of labels (`Account Name:`), with line ends or, where a sender took them out, with blanks only.
Which label is which value of EventData was read in events that have both, message and data, as Winlogbeat writes them. English
only: of other languages `subject` reads who acted. Sysmon's labels are the names of its data.
"""

import re

_ACCOUNTS = {
    "Security ID": "UserSid",
    "Account Name": "UserName",
    "Account Domain": "DomainName",
    "Logon ID": "LogonId",
}
_SUBJECT, _TARGET = (
    {label: f"{who}{name}" for label, name in _ACCOUNTS.items()} for who in ("Subject", "Target")
)
_NAMED = {"Account Name": "TargetUserName", "Account Domain": "TargetDomainName"}
_CHANGED = {"Security ID": "TargetSid", **_NAMED}
_NO_ACCOUNTS = (
    "Logon Information", "Process Information", "Network Information", "Failure Information", "Share Information", "Object",
    "Detailed Authentication Information", "Additional Information", "Service Information", "Attributes",
)  # fmt: skip
"""Blocks in which no label means an account."""
_BLOCKS: dict[str, dict[str, str]] = {
    "Subject": _SUBJECT,
    "Creator Subject": _SUBJECT,
    "New Logon": _TARGET,
    "Account For Which Logon Failed": _TARGET,
    "Target Subject": _TARGET,
    "Account Whose Credentials Were Used": _NAMED,
    "Account Information": _NAMED,
    "Target Account": _CHANGED,
    "New Account": _CHANGED,
    "Member": {"Security ID": "MemberSid", "Account Name": "MemberName"},
    "Group": {**_CHANGED, "Group Name": "TargetUserName", "Group Domain": "TargetDomainName"},
    **{block: {} for block in _NO_ACCOUNTS},
}
_ANYWHERE = {
    "Logon Type": "LogonType",
    "Workstation Name": "WorkstationName",
    "Source Network Address": "IpAddress",
    "Client Address": "IpAddress",
    "Source Address": "IpAddress",
    "Source Port": "IpPort",
    "Client Port": "IpPort",
    "Process ID": "ProcessId",
    "Process Name": "ProcessName",
    "Caller Process ID": "ProcessId",
    "Caller Process Name": "ProcessName",
    "New Process ID": "NewProcessId",
    "New Process Name": "NewProcessName",
    "Creator Process ID": "ProcessId",
    "Creator Process Name": "ParentProcessName",
    "Process Command Line": "CommandLine",
    "Status": "Status",
    "Sub Status": "SubStatus",
    "Logon Process": "LogonProcessName",
    "Authentication Package": "AuthenticationPackageName",
    "Service Name": "ServiceName",
    "Object Name": "ObjectName",
    "Object Type": "ObjectType",
    "Share Name": "ShareName",
    "Relative Target Name": "RelativeTargetName",
    "Ticket Encryption Type": "TicketEncryptionType",
}
_UNSAID = (
    "Logon GUID", "Linked Logon ID", "Impersonation Level", "Restricted Admin Mode", "Virtual Account", "Elevated Token",
    "Failure Reason", "Network Account Name", "Network Account Domain", "Transited Services", "Package Name (NTLM only)",
    "Key Length", "Token Elevation Type", "Mandatory Label", "Privileges", "Handle ID", "Resource Attributes", "Supplied Realm Name",
    "User ID", "Service ID", "Remote Credential Guard",
)  # fmt: skip
"""Labels whose values are taken for nothing, but end the value before them."""
_LABELS = sorted(
    {*_BLOCKS, *_ANYWHERE, *_UNSAID, *(label for block in _BLOCKS.values() for label in block)},
    key=len,
    reverse=True,
)
_LABEL = re.compile(rf"(?:^|(?<=\s))({'|'.join(map(re.escape, _LABELS))}):(?=\s|$)")
_SYSMON = re.compile(r"(?:^|(?<=\s))([A-Z][A-Za-z0-9]{1,39}): ")
_END = re.compile(r"[\r\n\t]|\s{2,}")
_EXPLANATION = re.compile(r"\s(?:This event is generated|Token Elevation Type indicates)")
_SID = re.compile(r"S-1-[0-9-]+")
_ONE_WORD = {
    "SubjectLogonId", "TargetLogonId", "LogonType", "IpAddress", "IpPort", "ProcessId", "NewProcessId", "Status", "SubStatus",
    "TicketEncryptionType",
}  # fmt: skip
"""Values in which no blank stands: without line ends the next block's name stands behind them."""
_LONGEST = 64_000


def data(message: str, provider: str) -> dict[str, str]:
    """EventData as far as the message tells it; a label without a value, or with a hyphen, is none."""
    told = _EXPLANATION.split(message[:_LONGEST], maxsplit=1)[0]
    pattern = _SYSMON if "Sysmon" in provider else _LABEL
    found: dict[str, str] = {}
    block: dict[str, str] = {}
    labels = list(pattern.finditer(told))
    for place, label in enumerate(labels):
        name = label[1]
        if pattern is _LABEL and name in _BLOCKS:
            block = _BLOCKS[name]
            continue
        end = labels[place + 1].start() if place + 1 < len(labels) else len(told)
        value = _END.split(told[label.end() : end].strip(), maxsplit=1)[0]
        target = name if pattern is _SYSMON else block.get(name) or _ANYWHERE.get(name)
        if target and (value := _as_data(target, value)):
            found.setdefault(target, value)
    return found


def _as_data(target: str, value: str) -> str:
    """The value as EventData has it; empty for none."""
    if target.endswith("Sid"):  # senders put the account's name in its place, or `NULL SID`
        return found[0] if (found := _SID.match(value)) else ""
    if target in _ONE_WORD:
        value = value.partition(" ")[0]
    return "" if value == "-" else value.lower() if value[:2] == "0x" else value
