"""What people decide on one machine and every other must know, carried through the store (decision 0024).

On a cluster the rules that a tower keeps (sets, exceptions, switches, the approval), its indicators and the files of its feeds
are versions in the records. A machine that decides writes a new version by compare-and-set; every machine that needs them
asks every few seconds, compares the SHA-256, and lays the files into its own data folder, from which all is read: while the
store is away, work goes on with what came last.
"""

from ops.shared.content import Content, contents, indicators, rules
from ops.shared.copy import Copy, State, carried

__all__ = ["Content", "Copy", "State", "carried", "contents", "indicators", "rules"]
