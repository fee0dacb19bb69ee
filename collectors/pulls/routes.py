"""Which source reads a record, by the name of the log that it is of: what a queue of several products is sorted by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from collectors.pulls.pull import Pull

OTHERS = "generic.json"
"""Reads any JSON record and keeps all its values: for logs that no source of ours is made for."""
_MOST = 1_000
"""Names that are remembered: a city's queue has dozens; records may make up any number."""


def of_others(pull: Pull, others: str) -> str:
    """The source of a log that is named nowhere: `others`, or the pull's `source` where only that was written by a person."""
    written = pull.model_fields_set
    return pull.source if "source" in written and "others" not in written else others


@dataclass(slots=True)
class Routes:
    """by: name of a log, or a pattern with * → source; the first that fits."""

    by: Mapping[str, str]
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """The source of a log; empty where none is named for it."""
        known = self._known.get(name)
        if known is None:
            known = next((source for named, source in self.by.items() if fnmatchcase(name, named)), "")
            if len(self._known) < _MOST:
                self._known[name] = known
        return known
