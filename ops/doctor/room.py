"""Is there room, and what is held?"""

import shutil
from collections.abc import Iterator

from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient

_LOW = 0.10
_MORE = Words("保存期間を短くするか、ディスクを増やしてください。", "shorten retention or add disk")


def disk(patient: Patient) -> Iterator[Check]:
    """How much of the disk under the data folder is free?"""
    usage, part = shutil.disk_usage(patient.data), Part("ディスク", "disk")
    free = usage.free / usage.total
    ja, en = f"空き {usage.free >> 30} GiB({free:.0%})。", f"{usage.free >> 30} GiB free ({free:.0%})"
    yield part.bad(ja, en, _MORE) if free < _LOW else part.good(ja, en)


def store(patient: Patient) -> Iterator[Check]:
    """How many events are held, of how many kinds?"""
    held = patient.events.datasets()
    events, size = sum(one.events for one in held), sum(one.bytes for one in held)
    yield Part("保管庫", "store").good(
        f"{events:,} 件、{size >> 20} MiB、{len(held)} 種。",
        f"{events:,} events, {size >> 20} MiB, {len(held)} datasets",
    )
