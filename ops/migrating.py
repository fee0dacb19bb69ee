"""`hinomi store migrate`: opens both stores, moves, compares, and says what it found."""

import hashlib
import time
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from hinomi.clock import SystemClock
from hinomi.errors import InputError, StoreError, Where
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from hinomi.text import inert
from hinomi.words import Words
from ops import shared
from ops.migration import Migration, fresh_or_ours
from ops.roles.start import machine_name
from ops.rundir import RunDir
from ops.settings import read_settings
from responders.incidents.shelf import FolderShelf, RecordShelf
from responders.responder import link_key


def migrate(data: Path, config: Path) -> None:
    """Move a stopped tower's store. Raises InputError, StoreError where the two sides differ afterwards."""
    store = read_settings(config).store
    if store.elasticsearch is None or not (data / "records.sqlite").exists():
        raise InputError(
            "--data に内蔵の保管庫、--config に移行先の store.elasticsearch が必要です。",
            "--data must hold an embedded store and --config name a cluster",
            where=Where(config, None, "store.elasticsearch"),
        )
    clock, space = SystemClock(), store.elasticsearch.namespace
    with RunDir.of(data).lock():  # nobody may write meanwhile
        events, records = (
            ParquetEvents(data / "events", clock=clock),
            SqliteRecords(data / "records.sqlite", clock=clock),
        )
        to_events = ElasticEvents(connect(store.elasticsearch), space, clock=clock, patience=300.0)
        to_records = ElasticRecords(connect(store.elasticsearch), space, clock=clock)
        machine = machine_name(data)
        try:
            to_events.prepare(replicas=store.elasticsearch.replicas)
            fresh_or_ours(to_events, machine)
            _moved(Migration(events, records, to_events, to_records, machine))
            _shelved(data, RecordShelf(to_records))
            _shared(data, to_records)
            if to_records.get("key", "links") is None:  # links in messages that were sent go on working
                to_records.put("key", "links", {"hex": link_key(data / "link.key").hex()})
            _remaining(data)
        finally:
            for one in (events, records, to_events, to_records):
                one.close()


def _shelved(data: Path, shelf: RecordShelf) -> None:
    """Evidence goes along: each file is read back and compared with its hash."""
    old, moved = FolderShelf(data / "evidence"), 0
    for sha256 in old.all():
        shelf.put(sha256, old.get(sha256))
        if hashlib.sha256(shelf.get(sha256)).hexdigest() != sha256:
            raise StoreError(f"証拠 {sha256} が一致しません。", f"evidence {sha256} differs")
        moved += 1
    typer.echo(f"✓ 証拠 / evidence: {moved:,}")


def _shared(data: Path, records: ElasticRecords) -> None:
    """Rules that the tower keeps and its indicators, for every machine: each read back and compared, file by file."""
    for content in (shared.rules(data), shared.indicators(data)):
        there, copy = content.files(), shared.Copy.of(content, records, data)
        if there:
            copy.share("migrate")
            if copy.newest() != there:
                name = content.words
                raise StoreError(f"{name.ja}が一致しません。", f"the {name.en} differ")
        typer.echo(f"✓ {content.words.ja} / {content.words.en}: {len(there):,} files")


def _remaining(data: Path) -> None:
    """What lies in the data folder and belongs to this machine: it goes on there, and is named so that nobody deletes it."""
    for name, words in _OF_THIS_MACHINE.items():
        files = (
            [path for path in (data / name).rglob("*") if path.is_file()] if (data / name).is_dir() else []
        )
        if files:
            size = sum(path.stat().st_size for path in files)
            typer.echo(f"・ {name}/ ({words.ja} / {words.en}): {len(files):,} files, {size:,} bytes")
    typer.echo(
        f"これらはこの機械のものとして {data} に残ります。消さずに、同じ --data で hinomi up(分けるなら hinomi collect)を始めてください。"
        f" / these stay in {data} as this machine's own: keep them, and start hinomi up (or hinomi collect) with the same --data"
    )


_OF_THIS_MACHINE = {
    "spool": Words("まだ保存していない行", "lines not stored yet"),
    "pull": Words("取りに行く位置と、取った行", "how far services were pulled, and lines that came"),
    "reports": Words("作った報告書", "reports that were made"),
    "own": Words("書き出した監査記録", "the audit log as written out"),
}


def _moved(migration: Migration) -> None:
    start = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(inert(name))
            bar.update(tasks[name], completed=done, total=total)

        migration.say = show
        copied = migration.run()
    seconds = time.monotonic() - start
    typer.echo(
        f"移しました / copied: {copied:,} events, {seconds:,.0f} s ({copied / max(seconds, 1e-3):,.0f} events/s)"
    )
    start, bad = time.monotonic(), []
    for found in migration.compare():
        sign = "✓" if found.good else "✗"
        typer.echo(f"{sign} {inert(found.dataset):36} {found.before:14,} → {found.after:14,}")
        bad += [] if found.good else [found.dataset]
    bad += [f"{kind} {old} → {new}" for kind, (old, new) in migration.compare_records().items()]
    typer.echo(f"照合しました / compared: {time.monotonic() - start:,.0f} s")
    if bad:
        raise StoreError(f"一致しません: {', '.join(bad)}", f"the two sides differ: {', '.join(bad)}")
