"""Windows event log: EVTX, event XML, Winlogbeat and Elastic Agent, NXLog and other flat JSON, Snare, Splunk's text.

Every value of EventData and UserData stays as `winlog.event_data.<Name>`, which is what Sigma's
Windows rules match; the ECS fields beside it are computed from it, one provider and event id at a time.
"""

import polars as pl

from collectors.source import Source
from collectors.windows.meaning import with_meaning
from collectors.windows.narrow import WindowsNarrow
from collectors.windows.records import WindowsEvents

_BESIDE = r'"(?:Channel|UtcTime|ProcessGuid|SubjectUserName|TargetUserName|ScriptBlockText|CommandLine)":'
"""What a flat record has beside its event id; in any order."""

_FORMS = (
    r'"winlog":\s*\{',
    r'^\s*\{\s*"Event":\s*\{.*"System":',
    r"<Event(?:\s+xmlns=[^>]*)?>\s*<System>",
    r'"SourceModuleType":\s*"im_msvistalog"',
    rf'"EventID":\s*"?\d+"?.*{_BESIDE}',
    rf'{_BESIDE}.*"EventID":\s*"?\d+',
)
_TEXTS = (
    r"\bMSWinEventLog(?:\t|#011)\d",
    r'\[NXLOG@\d+ .*\bEventID="\d+"',
    r"(?s)\bLogName=.*\bEventCode=\d+",
)
_ENVELOPES = (
    r'"win":\s*\{.*"eventID":',
    r'"EventId":.*"Payload":\s*"\{',
    r'"Payload":\s*"\{.*"EventId":',
    r'"(?:_raw|data)":\s*"\s*<Event[\s>]',
    r'"System":\s*\{.*"OpenWEC":\s*\{',
    r'"OpenWEC":\s*\{.*"System":\s*\{',
)

source = Source(
    name="windows.eventlog",
    title={"ja": "Windows イベントログ", "en": "Windows event log"},
    shape=WindowsEvents(),
    narrow=WindowsNarrow(),
    recognise="|".join((*_FORMS, *_TEXTS, *_ENVELOPES)),
)


@source.refine
def meaning(frame: pl.DataFrame) -> pl.DataFrame:
    """ECS fields of the frame's one provider and event id."""
    return with_meaning(frame)
