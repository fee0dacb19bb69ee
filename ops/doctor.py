"""The doctor: looks at every part of a tower and says what is wrong and the one thing to do next."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path

from collectors import catalogue as sources
from collectors.enrich import Enricher
from collectors.rhythm import watched, wording
from hinomi.clock import JST, SystemClock
from hinomi.errors import ConfigError, HinomiError
from hinomi.store import Events, Records
from hinomi.words import Words
from ops import rhythm_alerts
from ops.counts import totals
from ops.folders import cache_folder
from ops.rundir import RunDir, alive
from ops.settings import Settings
from responders.audit import Audit
from responders.connectors.catalogue import connector
from responders.notify.pulse import STATE as PULSE
from responders.oncall import Rota
from responders.oncall.standins import Standins
from responders.playbooks.playbook import catalogue as playbooks
from rules import content, lock, quarantine
from rules.in_force import KEPT

_LOW_DISK = 0.10
_SILENT_SECONDS = 3600
_SHOWN = 20


class State(StrEnum):
    """How a part is."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


NOTHING = Words("", "")


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, how it is, what to do."""

    part: Words
    state: State
    said: Words
    remedy: Words = NOTHING


@dataclass(frozen=True, slots=True)
class Patient:
    """What the doctor looks at."""

    data: Path
    settings: Settings
    events: Events
    records: Records
    run: RunDir


def examine(patient: Patient) -> Iterator[Check]:
    """Every check in turn; a check that itself fails is a finding."""
    for check in CHECKS:
        try:
            yield from check(patient)
        except HinomiError as error:
            yield Check(Words(check.__name__, check.__name__), State.BAD, Words(error.ja, error.en))


def _good(ja: str, en: str, said_ja: str, said_en: str) -> Check:
    return Check(Words(ja, en), State.GOOD, Words(said_ja, said_en))


def processes(patient: Patient) -> Iterator[Check]:
    """Is each process alive and ready?"""
    said = patient.run.read("supervisor")
    if not said or not alive(int(said["pid"])):
        yield Check(
            Words("プロセス", "processes"),
            State.WARN,
            Words("hinomi up は動いていません。", "hinomi up is not running"),
            Words("hinomi up で起動してください。", "start it with hinomi up"),
        )
        return
    for child in said["children"]:
        name, restarts = child["name"], child["restarts"]
        part = Words(f"プロセス {name}", f"process {name}")
        ready = patient.run.read(name).get("ready") and child["pid"] and alive(int(child["pid"]))
        if not ready:
            yield Check(
                part,
                State.BAD,
                Words(
                    f"動いていません(再起動 {restarts} 回)。", f"is not running, restarted {restarts} times"
                ),
                Words("hinomi up の記録を見てください。", "look at the log of hinomi up"),
            )
        else:
            state = State.WARN if restarts else State.GOOD
            yield Check(
                part,
                state,
                Words(f"動いています(再起動 {restarts} 回)。", f"runs, restarted {restarts} times"),
            )


def listeners(patient: Patient) -> Iterator[Check]:
    """Does each listener listen, and does its source speak?"""
    told = [patient.run.read(process).get("listeners", {}) for process in ("intake", "pull")]
    for name, said in chain.from_iterable(one.items() for one in told):
        part = Words(f"受け口 {name}", f"listener {name}")
        for note in said.get("notes", []):
            yield Check(part, State.BAD if note["bad"] else State.GOOD, Words(note["ja"], note["en"]))
        if not said["up"]:
            yield Check(
                part,
                State.BAD,
                Words(f"開けていません: {said['problem']}", f"is not open: {said['problem']}"),
                Words(
                    "設定の番号・証明書・権限を確かめてください。",
                    "check its port, certificate and permissions",
                ),
            )
            continue
        last = said.get("last_received")
        quiet = time.time() - datetime.fromisoformat(last).timestamp() if last else None
        if quiet is None or quiet > _SILENT_SECONDS:
            yield Check(
                part,
                State.WARN,
                Words("この1時間、何も届いていません。", "nothing arrived within the hour"),
                Words("送り元の設定と経路を確かめてください。", "check the sender and the way to it"),
            )
        else:
            n = said["received"]
            yield _good(
                part.ja,
                part.en,
                f"{n:,} 件受信、最後は {quiet:.0f} 秒前。",
                f"{n:,} received, last {quiet:.0f} s ago",
            )


def rhythm(patient: Patient) -> Iterator[Check]:
    """Does every source keep its rhythm?"""
    part, units = Words("ログの届き方", "rhythm of sources"), watched.read(patient.records)
    wrong = [(unit, one) for unit in units.values() for one in unit.standing.values()]
    for unit, one in wrong[:_SHOWN]:
        name = wording.name(unit.usual)
        said = Words(f"{name}: {one.ja}", f"{name}: {one.en}")
        yield Check(part, State.BAD, said, rhythm_alerts.KINDS[one.kind].what_to_do)
    learning = sum(not unit.habits for (_, sender), unit in units.items() if not sender)
    if not wrong and units:
        n = len({origin for origin, _ in units})
        yield _good(
            part.ja,
            part.en,
            f"{n} か所、いつもどおりです(学習中 {learning})。",
            f"{n} places, as usual; {learning} being learned",
        )


def spool(patient: Patient) -> Iterator[Check]:
    """Does the pipeline keep up?"""
    intake = patient.run.read("intake")
    used, most = intake.get("spool_used", 0), intake.get("spool_max") or patient.settings.spool.max_mib << 20
    part = Words("スプール", "spool")
    said = Words(f"{used >> 20} / {most >> 20} MiB を使用。", f"{used >> 20} of {most >> 20} MiB used")
    if used > most * 0.8:
        yield Check(
            part,
            State.BAD,
            said,
            Words("処理が追いつきません。workers を増やしてください。", "raise the number of workers"),
        )
    else:
        yield Check(part, State.GOOD, said)


def disk(patient: Patient) -> Iterator[Check]:
    """Is there room?"""
    usage = shutil.disk_usage(patient.data)
    free = usage.free / usage.total
    said = Words(f"空き {usage.free >> 30} GiB({free:.0%})。", f"{usage.free >> 30} GiB free ({free:.0%})")
    if free < _LOW_DISK:
        remedy = Words("保存期間を短くするか、ディスクを増やしてください。", "shorten retention or add disk")
        yield Check(Words("ディスク", "disk"), State.BAD, said, remedy)
    else:
        yield Check(Words("ディスク", "disk"), State.GOOD, said)


def store(patient: Patient) -> Iterator[Check]:
    """What is held?"""
    held = patient.events.datasets()
    events, size = sum(one.events for one in held), sum(one.bytes for one in held)
    yield _good(
        "保管庫",
        "store",
        f"{events:,} 件、{size >> 20} MiB、{len(held)} 種。",
        f"{events:,} events, {size >> 20} MiB, {len(held)} datasets",
    )


def not_understood(patient: Patient) -> Iterator[Check]:
    """How many lines became dead letters, and of which source?"""
    part = Words("解析できなかった行", "lines not understood")
    counts = {line.dataset: n for line, n in totals(patient.records).items() if line.what == "dead_letter"}
    if not counts:
        yield _good(part.ja, part.en, "ありません。", "none")
        return
    worst = ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items(), key=lambda one: -one[1])[:5])
    yield Check(
        part,
        State.WARN,
        Words(worst, worst),
        Words("検索: event.dataset: hinomi.dead_letter", "search for event.dataset: hinomi.dead_letter"),
    )


def own_files(patient: Patient) -> Iterator[Check]:
    """Can the city's own sources, playbooks and lists be read, and are its feeds fetched?"""
    part, settings = Words("市の定義と一覧", "own files"), patient.settings
    problems: list[HinomiError] = []
    lists: list[ConfigError] = []
    for folder in settings.sources.folders:
        sources.add(folder, problems)
    playbooks(*settings.respond.playbooks.folders, problems=problems)
    Enricher.of(settings.enrich, lists)
    for error in (*problems, *lists):
        at = f"{error.where}: " if error.where else ""
        said = Words(f"{at}{error.ja}", f"{at}{error.en}")
        yield Check(part, State.BAD, said, Words("直すまで使いません。", "left out until it is mended"))
    for record in patient.records.find("feed"):
        if record.id in settings.feeds and record.body["ja"]:
            said = Words(f"{record.id}: {record.body['ja']}", f"{record.id}: {record.body['en']}")
            again = Words(
                "前のファイルを使い続けます。feeds を確かめてください。", "the old file stays; check feeds"
            )
            yield Check(part, State.WARN, said, again)


def rules(patient: Patient) -> Iterator[Check]:
    """Do the rules load?"""
    report = content.check(patient.settings.rules_in_force(patient.data), cache_folder())
    said = Words(
        f"{report.loaded:,} 件、相関 {report.correlations}、平常値 {report.baselines}。",
        f"{report.loaded:,} rules, {report.correlations} correlations, {report.baselines} baselines",
    )
    if report.problems:
        n, first = len(report.problems), report.problems[0]
        wrong = Words(f"{said.ja}使えないもの {n:,} 件: {first}", f"{said.en}; {n:,} cannot be used: {first}")
        remedy = Words(
            "すべての理由は hinomi rules check で見られます。", "hinomi rules check shows every reason"
        )
        yield Check(Words("ルール", "rules"), State.BAD, wrong, remedy)
    else:
        yield Check(Words("ルール", "rules"), State.GOOD, said)
    yield from _approved(patient)
    yield from _aside(patient)


def _aside(patient: Patient) -> Iterator[Check]:
    """Are rules set aside because they flood or slow the engine?"""
    for one in quarantine.held(patient.records):
        said = Words(f"{one.title}: {one.said.ja}。", f"{one.title}: {one.said.en}")
        remedy = f"hinomi rules release {one.rule}"
        yield Check(Words("止めたルール", "rule set aside"), State.BAD, said, Words(remedy, remedy))


def _approved(patient: Patient) -> Iterator[Check]:
    """Is what runs what was approved?"""
    path = patient.data / KEPT / lock.NAME
    if not path.exists():
        return
    part = Words("ルールの承認", "approval of rules")
    found = list(lock.differences(path, patient.settings.rules_in_force(patient.data).load(cache_folder())))
    if not found:
        yield Check(part, State.GOOD, Words("承認どおりです。", "as approved"))
        return
    said = Words(f"承認と違うルールが {len(found):,} 件。", f"{len(found):,} rules are not as approved")
    yield Check(part, State.BAD, said, Words("hinomi rules lock --verify", "hinomi rules lock --verify"))


def calling(patient: Patient) -> Iterator[Check]:
    """Can somebody be called, and did messages fail?"""
    part = Words("当番と通知", "on call")
    respond = patient.settings.respond
    if not respond.oncall.people or not respond.notify.channels:
        yield Check(
            part,
            State.WARN,
            Words("当番か通知先が設定されていません。", "nobody or no channel is configured"),
            Words(
                "respond.oncall と respond.notify を書いてください。",
                "write respond.oncall and respond.notify",
            ),
        )
        return
    yield from _holes(Rota(respond.oncall, Standins(patient.records)))
    yield from _pulse(patient)
    if missing := respond.contacts.missing():
        yield Check(
            Words("連絡先", "contacts"),
            State.WARN,
            Words(
                f"連絡先の一覧に、まだない相手があります: {'、'.join(one.ja for one in missing)}",
                f"the contact tree has nobody for: {', '.join(one.en for one in missing)}",
            ),
            Words("respond.contacts.bodies に書いてください。", "write respond.contacts.bodies"),
        )
    failed, unknown = (
        patient.records.count("notification", {"state": state}) for state in ("failed", "sending")
    )
    if failed or unknown:
        yield Check(
            part,
            State.BAD,
            Words(
                f"送れなかった通知が {failed + unknown} 件あります。",
                f"{failed + unknown} messages did not go out",
            ),
            Words("通知先の設定と経路を確かめてください。", "check the channels"),
        )
    else:
        sent = patient.records.count("notification", {"state": "sent"})
        yield _good(part.ja, part.en, f"{sent:,} 件を送りました。", f"{sent:,} messages sent")


def _pulse(patient: Patient) -> Iterator[Check]:
    """What the respond process last said of its own messages."""
    held = patient.records.get(*PULSE)
    if held is None or held.body["ok"]:
        return
    since = datetime.fromisoformat(held.body["since"]).astimezone(JST)
    problems = "、".join(str(one) for one in held.body["problems"])
    yield Check(
        Words("通知の働き", "messages"),
        State.BAD,
        Words(
            f"{since:%m/%d %H:%M} から通知が届いていません: {problems}",
            f"messages have been stuck since {since:%m-%d %H:%M}",
        ),
        Words("通知先の設定と経路を確かめてください。", "check the channels"),
    )


def _holes(rota: Rota) -> Iterator[Check]:
    """When, in the next two weeks, is nobody on call?"""
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    holes = rota.holes(now)
    if not holes:
        return
    start, end = (time.astimezone(JST) for time in holes[0])
    yield Check(
        Words("当番表", "rota"),
        State.BAD,
        Words(
            f"{start:%m/%d %H:%M} から {end:%m/%d %H:%M} は当番がいません(2週間に {len(holes)} か所)。",
            f"nobody is on call from {start:%m/%d %H:%M} to {end:%m/%d %H:%M}; {len(holes)} such times in two weeks",
        ),
        Words("respond.oncall.layers を補ってください。", "fill respond.oncall.layers"),
    )


def connectors(patient: Patient) -> Iterator[Check]:
    """Can the things that contain be reached?"""
    for name, target in patient.settings.respond.connectors.items():
        part = Words(f"接続先 {name}", f"connector {name}")
        problem = connector(target).health()
        if problem:
            yield Check(
                part,
                State.BAD,
                Words(problem, problem),
                Words("経路と資格情報を確かめてください。", "check it"),
            )
        else:
            yield _good(part.ja, part.en, "使えます。", "works")


def audit(patient: Patient) -> Iterator[Check]:
    """Is the audit log whole?"""
    problems = Audit(patient.records, SystemClock()).verify()
    part = Words("監査記録", "audit log")
    if problems:
        said = Words(problems[0].ja, problems[0].en)
        remedy = Words(
            "記録を保全し、統括情報セキュリティ責任者に報告してください。", "preserve it and report it"
        )
        yield Check(part, State.BAD, said, remedy)
    else:
        yield _good(part.ja, part.en, "問題ありません。", "whole")


def console(patient: Patient) -> Iterator[Check]:
    """Is the console safe where it listens?"""
    settings = patient.settings.console
    part = Words("画面", "console")
    if not settings.tls and settings.address not in {"127.0.0.1", "::1", "localhost"}:
        yield Check(
            part,
            State.BAD,
            Words("暗号化なしで庁内に公開しています。", "it is open to the network without TLS"),
            Words(
                "console.tls_certificate と tls_key を設定してください。",
                "set console.tls_certificate and tls_key",
            ),
        )
    elif not patient.records.count("user"):
        yield Check(
            part,
            State.WARN,
            Words("利用者がいません。", "there are no users"),
            Words("hinomi users add で追加してください。", "add one with hinomi users add"),
        )
    else:
        yield _good(
            part.ja, part.en, f"{settings.address}:{settings.port}", f"{settings.address}:{settings.port}"
        )


CHECKS: tuple[Callable[[Patient], Iterator[Check]], ...] = (
    processes,
    listeners,
    rhythm,
    spool,
    disk,
    store,
    not_understood,
    own_files,
    rules,
    calling,
    connectors,
    audit,
    console,
)
