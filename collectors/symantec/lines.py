"""Lines of Symantec Endpoint Protection Manager: values parted by commas, some `Name: value`, some by place.

Facts: Broadcom, "External Logging settings and log event severity levels for SEPM" and the fields of each log.
Names are English in every language of the product; what stands by place belongs to the name before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs

_NAMES = (
    *("IP Address", "Computer name", "Computer", "Source", "Risk name", "Occurrences", "File path", "Description"),
    *("Actual action", "Requested action", "Secondary action", "Event time", "Event Insert Time", "End Time", "End"),
    *("Last update time", "Domain Name", "Group Name", "Server Name", "User Name", "Source Computer Name"),
    *("Source Computer IP", "Disposition", "Download site", "Web domain", "Downloaded by", "Prevalence", "Confidence"),
    *("URL Tracking Status", "First Seen", "Sensitivity", "Allowed application reason", "Application hash"),
    *("Permitted application reason", "Hash type", "Company name", "Application name", "Application version"),
    *("Application type", "File size (bytes)", "Category set", "Category type", "Location", "Risk Level", "Risk type"),
    *("Intensive Protection Level", "Certificate issuer", "Certificate signer", "Certificate thumbprint"),
    *("Signing timestamp", "Certificate serial number", "Detection score", "Detection Source", "Event Description"),
    *("Event Type", "Local Host IP", "Local Host MAC", "Local Host", "Local Port", "Local", "Remote Host Name"),
    *("Remote Host IP", "Remote Host MAC", "Remote Host", "Remote Port", "Remote", "Begin Time", "Begin"),
    *("Application", "User", "Domain", "CIDS Signature ID", "CIDS Signature string", "CIDS Signature SubID"),
    *("Intrusion URL", "Intrusion Payload URL", "SHA-256", "MD-5", "URL Risk", "URL Category", "Rule", "Action Type"),
    *("Action", "Device ID", "Parameter", "Site", "Server", "Admin", "Scan ID", "Duration (seconds)", "User1"),
    *("User2", "Command", "Threats", "Infected", "Total files", "Omitted", "Scan Type", "Status", "Category", "Group"),
    *("Scan Complete", "Inbound", "Outbound", "COH Engine Version", "Detection Submissions No", "Policy name"),
)  # fmt: skip
_NAME = rf'(?:^|,)\s?"?({"|".join(re.escape(name) for name in sorted(_NAMES, key=len, reverse=True))}): ?'
_TELLING = (
    r"(?:^|,)\s?\"?(?:Event time|Begin|Begin Time|Scan ID|Event Description|Risk name|Local Host IP|Admin|"
    r"CIDS Signature ID|Group Name): ?|^\s*Site: [^,]*,Server(?: Name)?: "
)
_SENDER = r"^\s*SymantecServer: "
"""The manager's own name, where no syslog header before it made it the program."""
_NEXT, _IS = "\x1e", "\x1f"


@dataclass(frozen=True, slots=True)
class SymantecLines:
    """A text column for each name; `lead` is what stands before the first one."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame of the lines that have at least one telling name."""
        own = pl.col("message").str.replace(_SENDER, "")
        split = syslog.split(intake).with_columns(own).filter(own.str.contains(_TELLING))
        if not split.height:
            return []
        frame = split.with_row_index("at")
        marked = (
            pl.col("message")
            .str.replace_all(f"[{_NEXT}{_IS}]", " ")
            .str.replace_all(_NAME, f"{_NEXT}$1{_IS}")
        )
        parts = frame.select("at", marked.str.split(_NEXT).alias("part"))
        lead = parts["part"].list.get(0, null_on_oob=True).str.strip_chars(' ,"')
        exploded = parts.explode("part", empty_as_null=False, keep_nulls=False)
        both = pl.col("part").str.splitn(_IS, 2).struct.rename_fields(["key", "value"])
        named = exploded.select("at", both.alias("both")).unnest("both").filter(pl.col("value").is_not_null())
        named = named.with_columns(pl.col("value").str.strip_chars(' "'))
        return [pairs.columns(frame.drop("at").with_columns(lead.alias("lead")), named)]
