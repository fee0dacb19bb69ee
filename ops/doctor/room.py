"""Is there room, and what is held?"""

import shutil
from collections.abc import Iterator

from hinomi.store.embedded import ParquetEvents
from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient
from ops.store_watch import damaged
from ops.stores import OLD_TEMPLATES, RENEW

_LOW = 0.10
_NAMED = 5
_MEND = Words(
    "写しから戻してください(hinomi store repair、クラスタでは hinomi store restore)。",
    "bring it back from a copy (hinomi store repair, on a cluster hinomi store restore)",
)
_WRITE_ANEW = Words(
    "ディスクに空きを作り(壊れたファイルがあれば先に戻し)、hinomi up を起動し直してください。起動のときに書き直します。",
    "make room on the disk (bring damaged files back first) and start hinomi up again: it writes them anew",
)
_MORE = Words("保存期間を短くするか、ディスクを増やしてください。", "shorten retention or add disk")


def disk(patient: Patient) -> Iterator[Check]:
    """How much of the disk under the data folder is free?"""
    usage, part = shutil.disk_usage(patient.data), Part("ディスク", "disk")
    free = usage.free / usage.total
    ja, en = f"空き {usage.free >> 30} GiB({free:.0%})。", f"{usage.free >> 30} GiB free ({free:.0%})"
    yield part.bad(ja, en, _MORE) if free < _LOW else part.good(ja, en)


def store(patient: Patient) -> Iterator[Check]:
    """Is every part of it there, and how many events are held, of how many kinds?"""
    flaws, part = damaged(patient.events, patient.records), Part("保管庫", "store")
    for one in flaws[:_NAMED]:
        number = "" if one.events is None else f"、{one.events:,} 件"
        number_en = "" if one.events is None else f", {one.events:,} events"
        yield part.bad(
            f"{one.place}({one.dataset}、{one.day}{number}): {one.said.ja}。",
            f"{one.place} ({one.dataset}, {one.day}{number_en}) {one.said.en}",
            _MEND,
        )
    if len(flaws) > _NAMED:
        yield part.bad(f"ほかに {len(flaws) - _NAMED:,} 個。", f"and {len(flaws) - _NAMED:,} more", _MEND)
    yield from _of_earlier_release(patient, part)
    held = patient.events.datasets()
    events, size = sum(one.events for one in held), sum(one.bytes for one in held)
    yield part.good(
        f"{events:,} 件、{size >> 20} MiB、{len(held)} 種。",
        f"{events:,} events, {size >> 20} MiB, {len(held)} datasets",
    )


def _of_earlier_release(patient: Patient, part: Part) -> Iterator[Check]:
    if patient.settings.store.kind == "elasticsearch":
        from hinomi.store.elastic.events import ElasticEvents  # a second to load

        if isinstance(patient.events, ElasticEvents) and patient.events.is_of_earlier_release():
            yield part.warn(OLD_TEMPLATES.ja, OLD_TEMPLATES.en, RENEW)
    old = patient.events.of_earlier_release() if isinstance(patient.events, ParquetEvents) else {}
    for dataset, files in old.items():
        yield part.bad(
            f"{dataset}: {files:,} 個のファイルが以前の版の形のまま残っています。失われてはいませんが、検索が誤りになることがあります。",
            f"{dataset}: {files:,} files are still in the form of an earlier release; nothing is lost, but searches may fail",
            _WRITE_ANEW,
        )
