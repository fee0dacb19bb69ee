"""Offline detection over files: what `hinomi hunt` does.

`whole` is a hunt from its paths to its end; `job` what it is asked to do, `reading` what one process does with parts of the files,
`signals` how what it finds is written, `tally` what is counted. Where several processes read, `crew` leads them, `starting` starts
them, `worker` is what each does, `frames` how they speak. `shown` tells people.
"""

from ops.hunt.whole import Hunt

__all__ = ["Hunt"]
