"""Which provider writes to which log: what an export left out, told from what it kept."""

import polars as pl

from collectors.windows.forms import DATA
from collectors.windows.kinds import SECURITY_PROVIDER, SYSMON_PROVIDER

_PROVIDER_OF = {
    "Security": SECURITY_PROVIDER,
    "Windows PowerShell": "PowerShell",
}
_CHANNEL_OF = {
    SECURITY_PROVIDER: "Security",
    SYSMON_PROVIDER: "Microsoft-Windows-Sysmon/Operational",
    "PowerShell": "Windows PowerShell",
    "Microsoft-Windows-PowerShell": "Microsoft-Windows-PowerShell/Operational",
    "Service Control Manager": "System",
    "EventLog": "System",
    "MsiInstaller": "Application",
}
_TELLING = (
    (SYSMON_PROVIDER, ("ProcessGuid", "SourceProcessGuid", "SourceProcessGUID", "UtcTime")),
    ("Microsoft-Windows-PowerShell", ("ScriptBlockText", "ContextInfo")),
    (SECURITY_PROVIDER, ("SubjectUserName", "SubjectUserSid", "TargetUserName")),
)


def provider(columns: frozenset[str]) -> pl.Expr:
    """`winlog.provider_name`, told from the channel or the data where it is missing."""
    channel = pl.col("winlog.channel")
    by_channel = channel.replace_strict(_PROVIDER_OF, default=None, return_dtype=pl.String)
    own_channel = channel.str.extract(r"^(Microsoft-Windows-[^/]+)/", 1)
    by_data = next((name for name, data in _TELLING if any(DATA + one in columns for one in data)), None)
    guess = pl.when(channel.is_null()).then(pl.lit(by_data, dtype=pl.String))
    return pl.coalesce("winlog.provider_name", by_channel, own_channel, guess)


def channel() -> pl.Expr:
    """`winlog.channel`, told from the provider where it is missing (some exports write none)."""
    known = pl.col("winlog.provider_name").replace_strict(_CHANNEL_OF, default=None, return_dtype=pl.String)
    return pl.coalesce("winlog.channel", known)
