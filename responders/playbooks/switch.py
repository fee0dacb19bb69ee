"""The kill switch: while it is thrown no playbook acts and nothing is lifted by itself. People may still put back."""

from hinomi.store import Records
from responders.playbooks.settings import PlaybookSettings

KIND, ID = "switch", "automation"


def stopped(records: Records, settings: PlaybookSettings) -> bool:
    """Whether automation is stopped, by a person or by the configuration."""
    if settings.paused:
        return True
    held = records.get(KIND, ID)
    return held is not None and bool(held.body.get("stopped"))
