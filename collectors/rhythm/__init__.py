"""The rhythm of each source: what is usual of it, and what is not: silence, a flood, a jump in time, another format.

The worker tallies what came (`tally`), one slot of ten minutes after another; `usual` is what was learned of a source,
`judge` compares the two, `wording` says it.
"""

from collectors.rhythm.finding import Finding, Kind
from collectors.rhythm.settings import RhythmSettings, SourceRhythm
from collectors.rhythm.tally import SLOT, Arrived, Sender, Tally
from collectors.rhythm.usual import Usual

__all__ = ["SLOT", "Arrived", "Finding", "Kind", "RhythmSettings", "Sender", "SourceRhythm", "Tally", "Usual"]
