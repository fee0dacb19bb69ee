"""What each named check asks of the stores. One function a check; the table below is all there is.

An outcome always says what was asked (a query that can be repeated) and over which time; a check that cannot be
made (no rules loaded) is not passed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any

from dashboards import clouds, times
from dashboards.compliance.keeping import Kept, keeping
from dashboards.console import health
from dashboards.console.docket import docket
from dashboards.console.rulebook import Rulebook
from dashboards.reporting.document import Ingredients
from dashboards.users import APPROVERS
from hinomi.batch import DEAD_LETTERS, SIGNALS
from hinomi.clock import JST
from hinomi.faults import readable
from hinomi.incident import GRADES, Incident, Verdict, is_merged, taken_at
from hinomi.store import DatasetStats, Span
from hinomi.words import Language, Words
from responders.audit import Audit
from responders.exercises import Exercise, What, held
from responders.incidents.casefile import family
from responders.incidents.evidence import KIND as EVIDENCE
from responders.incidents.suppression import KIND as SUPPRESSION
from responders.incidents.suppression import Suppression
from responders.notify.told import told
from responders.playbooks.playbook import catalogue

DAY = timedelta(days=1)
_MOST, _SAMPLE = 100_000, 200
_LATE = timedelta(minutes=5)
_SOON = timedelta(hours=1)
_NAMED = 6  # datasets that a line names; the monthly report lists all


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found. query: what was asked; search: the part that the search page can repeat; start: from when."""

    good: bool
    words: Words
    query: str
    start: datetime | None = None
    search: str = ""


class Look:
    """The stores as checks look at them; what several ask for is read once."""

    def __init__(self, of: Ingredients) -> None:
        self.of = of
        self.now = of.clock.now()

    @cached_property
    def datasets(self) -> list[DatasetStats]:
        """What is held, without our own signals and dead letters."""
        return [one for one in self.of.events.datasets() if one.name not in {SIGNALS, DEAD_LETTERS}]

    @cached_property
    def incidents(self) -> list[Incident]:
        """Incidents of the last year, without those that another one took in."""
        held = (entry.incident for entry in docket(self.of.records).entries())
        return [one for one in held if one.opened >= self.now - 365 * DAY and not is_merged(one)]

    @cached_property
    def served(self) -> Mapping[str, list[str]]:
        """Clause → titles of the rules in force that serve it."""
        return served(self.of.rulebook) if self.of.rulebook else {}

    @cached_property
    def serving(self) -> Mapping[str, list[str]]:
        """Clause → ids of the rules in force that serve it."""
        found: dict[str, list[str]] = {}
        for identity, document in documents(self.of.rulebook) if self.of.rulebook else ():
            for clause in clauses(document):
                found.setdefault(clause, []).append(identity)
        return found

    @cached_property
    def exceptions(self) -> list[Suppression]:
        """Exceptions of detection that hold now."""
        held = self.of.records.find(SUPPRESSION, limit=_MOST)
        found = readable(held, lambda one: one.read_as(Suppression))
        return [one for one in found if (one.since or self.now) <= self.now < one.until]

    def since(self, stats: DatasetStats, span: timedelta) -> bool:
        """Whether the dataset has events within the last `span`."""
        return stats.last is not None and stats.last >= self.now - span


def served(book: Rulebook) -> dict[str, list[str]]:
    """Clause → titles of detections, correlations and baselines that name it."""
    found: dict[str, list[str]] = {}
    for _, document in documents(book):
        for clause in clauses(document):
            found.setdefault(clause, []).append(str(document.get("title_ja") or document.get("title")))
    return found


def documents(book: Rulebook) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id and document of every rule in force."""
    for rule in book.rules.rules:
        if rule.unsupported is None:
            yield rule.id, {"title": rule.title, **rule.custom}
    for document in [
        *(one.document for one in book.rules.correlations),
        *(one.document for one in book.rules.others),
    ]:
        yield str(document.get("id")), document


def clauses(document: Mapping[str, Any]) -> list[str]:
    """The clauses that a rule says it serves."""
    return [str(clause) for clause in (document.get("hinomi") or {}).get("guideline") or []]


def rules(look: Look, given: Any) -> Outcome:
    """Rules in force that serve one of the clauses."""
    titles = [title for clause in given for title in look.served.get(str(clause), [])]
    words = Words(
        f"この項目のための検知ルール {len(titles)} 本", f"detection rules for this control: {len(titles)}"
    )
    return Outcome(bool(titles), words, f"rules in force: hinomi.guideline in {', '.join(map(str, given))}")


def logs(look: Look, given: Any) -> Outcome:
    """Events that a search finds."""
    start = look.now - int(given["days"]) * DAY
    n = look.of.events.count(str(given["query"]), span=Span(start, look.now))
    words = Words(
        f"{given['ja']} {n:,} 件({given['days']}日間)", f"{given['en']}: {n:,} in {given['days']} days"
    )
    return Outcome(
        n >= int(given["least"]), words, f"events.count({given['query']})", start, str(given["query"])
    )


def offices(look: Look, _: Any) -> Outcome:
    """Somebody may approve containment."""
    users = look.of.records.find("user", limit=_MOST)
    held = [u for u in users if not u.body.get("disabled") and set(u.body.get("roles", [])) & set(APPROVERS)]
    words = Words(f"承認できる責任者 {len(held)} 人を登録", f"approvers registered: {len(held)}")
    return Outcome(bool(held), words, "records user: roles of the guideline's offices, not locked")


def taken(look: Look, _: Any) -> Outcome:
    """Incidents are taken; none of grade 2 or more waits for over a day."""
    real = [one for one in look.incidents if one.grade >= 1]
    when = [(one, taken_at(one)) for one in real]
    waits = [at - one.opened for one, at in when if at]
    left = [one for one, at in when if at is None and one.grade >= 2 and look.now - one.opened > DAY]
    if not real:
        words = Words("1年間にインシデントはありません", "no incident within a year")
    else:
        middle = timedelta(seconds=median(one.total_seconds() for one in waits)) if waits else None
        ja = f"(中央値 {times.duration(middle, 'ja')})" if middle is not None else ""
        en = f" (median {times.duration(middle, 'en')})" if middle is not None else ""
        words = Words(
            f"過去一年の「{GRADES[1].ja}」以上 {len(real)} 件のうち {len(waits)} 件で対応を開始{ja}。"
            f"「{GRADES[2].ja}」以上で1日を超えて未対応 {len(left)} 件",
            f"{len(waits)} of {len(real)} incidents of grade {GRADES[1].en.lower()} or above in a year taken{en};"
            f" {len(left)} of {GRADES[2].en.lower()} or above untaken for over a day",
        )
    proven = bool(waits) or not real  # incidents of which nobody has taken one show nothing
    asked = "records incident: acknowledged_at, else closed - opened"
    return Outcome(not left and proven, words, asked, look.now - 365 * DAY)


def notified(look: Look, _: Any) -> Outcome:
    """A message went out for each incident of grade 2 or more, by itself or in a digest, once it is an hour old; or somebody had it in
    hand before theirs went."""
    start, known = look.now - 365 * DAY, told(look.of.records)
    real = [one for one in look.incidents if one.grade >= 2 and look.now - one.opened > _SOON]
    rest = [one for one in real if known.sent.isdisjoint(family(one))]
    left = [one for one in rest if known.in_hand.isdisjoint(family(one))]
    sent, in_hand = len(real) - len(rest), len(rest) - len(left)
    words = Words(
        f"過去一年の「{GRADES[2].ja}」以上 {len(real)} 件のうち、通知を送ったもの {sent} 件、"
        f"送る前に担当者が対応していたもの {in_hand} 件{_numbered(left)}",
        f"messages went out for {sent} of {len(real)} incidents of grade {GRADES[2].en.lower()} or above in a year,"
        f" {in_hand} were in somebody's hands before{_numbered(left)}",
    )
    if not real:
        words = Words(
            f"過去一年に、「{GRADES[2].ja}」以上で開いてから1時間を過ぎたインシデントはありません",
            f"no incident of grade {GRADES[2].en.lower()} or above in a year is older than an hour",
        )
    asked = "records notification: state=sent | folded into one that is | moot, by incident_id"
    return Outcome(not left, words, asked, start)


def _numbered(left: Sequence[Incident]) -> str:
    """` (#3 #7 …)`: the first of those that are missing."""
    shown = " ".join(f"#{one.number}" for one in left[:_NAMED])
    return f" ({shown}{' …' if len(left) > _NAMED else ''})" if left else ""


def rehearsed(look: Look, _: Any) -> Outcome:
    """A containment was carried out or rehearsed within a year."""
    start = look.now - 365 * DAY
    found = look.of.records.find("playbook_run", {"state": "done"}, limit=_MOST)
    runs = [run for run in found if (times.parse(run.body.get("created")) or start) >= start]
    words = Words(
        f"終えた封じ込めの手順 {len(runs)} 件(予行を含む)", f"{len(runs)} runs finished (rehearsals included)"
    )
    return Outcome(bool(runs), words, "records playbook_run: state=done", start)


def drilled(look: Look, _: Any) -> Outcome:
    """A drill was held within a year; trainings and who took part beside it."""
    return drilled_in(held(look.of.records), look.now)


def drilled_in(exercises: Sequence[Exercise], now: datetime) -> Outcome:
    """The same of what was read, the newest first."""
    start = now - 365 * DAY
    since = start.astimezone(JST).date()
    found = [one for one in exercises if one.on >= since]
    drills = [one for one in found if one.what is What.DRILL]
    n, m, k = len(drills), len(found) - len(drills), len({name for one in found for name in one.people})
    last = drills[0] if drills else None
    ja = f"(直近 {last.on} {last.title} {last.result_ja}".rstrip() + ")" if last else ""
    en = f" (last: {last.on} {last.title} {last.result_en}".rstrip() + ")" if last else ""
    words = Words(
        f"1年間に記録した訓練 {n} 回、研修 {m} 回、参加した人・部署 {k} 件{ja}",
        f"{n} {'drill' if n == 1 else 'drills'} and {m} {'training' if m == 1 else 'trainings'} recorded in a year,"
        f" {k} {'person or section' if k == 1 else 'people or sections'} took part{en}",
    )
    return Outcome(n > 0, words, "records exercise: on, what, people", start)


def arriving(look: Look, _: Any) -> Outcome:
    """Several kinds of logs came within a day."""
    names = [one.name for one in look.datasets if look.since(one, DAY)]
    words = Words(f"1日以内に届いたログ {len(names)} 種類", f"{len(names)} kinds of logs came within a day")
    return Outcome(len(names) >= 3, words, "events.datasets(): newest event within 24 h", look.now - DAY)


def not_silent(look: Look, _: Any) -> Outcome:
    """No listener fell silent."""
    known = health.sources(look.of.records, look.now)
    silent = [one.origin for one in known if one.state == "silent"]
    words = Words(
        f"受け口 {len(known)} か所のうち途絶 {len(silent)} か所",
        f"{len(silent)} of {len(known)} listeners are silent",
    )
    if not known:
        words = Words("状態を報告した受け口がない", "no listener has reported its state")
    return Outcome(bool(known) and not silent, words, "records source: last_received within 1 h")


def kept_a_year(look: Look, _: Any) -> Outcome:
    """Every dataset is kept for its own period; the shortest and those with most days missing are named."""
    found = keeping(look.of)
    missing = [one for one in found if one.state is not Kept.ENOUGH]
    missing.sort(key=lambda one: one.days - one.wanted)
    broken = sorted((one for one in found if one.gap), key=lambda one: -one.gap)
    short, gaps = [one.said for one in missing], [one.broken for one in broken]
    words = Words(
        f"ログ {len(found)} 種類のうち、定めた期間を保存しているもの {len(found) - len(missing)} 種類"
        f"{_named('。足りないもの', short, 'ja')}{_named('。記録のない日が続くもの', gaps, 'ja')}",
        f"{len(found) - len(missing)} of {len(found)} kinds of logs are held for the period laid down"
        f"{_named('; short', short, 'en')}{_named('; days without records', gaps, 'en')}",
    )
    return Outcome(
        bool(found) and not missing, words, "events.days(): dataset, day; retention periods; holds"
    )


def _named(head: str, found: Sequence[Words], language: Language) -> str:
    """The first of them; nothing where there is none."""
    more = [f"他 {len(found) - _NAMED}" if language == "ja" else f"{len(found) - _NAMED} more"]
    shown = [*(one.of(language) for one in found[:_NAMED]), *(more if len(found) > _NAMED else [])]
    mark = "、" if language == "ja" else ", "
    return f"{head}: {mark.join(shown)}" if found else ""


def audit_whole(look: Look, _: Any) -> Outcome:
    """The audit log's chain is whole."""
    problems = Audit(look.of.records, look.of.clock).verify()
    n = look.of.records.count("audit")
    words = Words(
        f"監査記録 {n:,} 件、乱れ {len(problems)} か所", f"{n:,} audit entries, {len(problems)} problems"
    )
    return Outcome(not problems, words, "hinomi audit verify")


def rules_run(look: Look, _: Any) -> Outcome:
    """Rules are in force."""
    n = len(look.of.rulebook.rules.rules) - len(look.of.rulebook.rules.unsupported) if look.of.rulebook else 0
    words = Words(f"動いている検知ルール {n:,} 本", f"{n:,} detection rules run")
    return Outcome(n > 0, words, "hinomi rules check")


def correlations(look: Look, _: Any) -> Outcome:
    """Correlations are in force."""
    n = len(look.of.rulebook.rules.correlations) if look.of.rulebook else 0
    words = Words(f"動いている相関ルール {n:,} 本", f"{n:,} correlation rules run")
    return Outcome(n > 0, words, "hinomi rules check")


def signin_watched(look: Look, _: Any) -> Outcome:
    """Attacks on passwords are looked for."""
    book = look.of.rulebook.rules if look.of.rulebook else None
    tags = [tag for rule in book.rules if rule.unsupported is None for tag in rule.tags] if book else []
    tags += [str(tag) for one in book.correlations for tag in one.document.get("tags", [])] if book else []
    n = tags.count("attack.credential-access")
    words = Words(f"認証情報への攻撃の検知ルール {n} 本", f"{n} rules on attacks on credentials")
    return Outcome(n > 0, words, "rules in force: tags=attack.credential-access")


def insider_rules(look: Look, _: Any) -> Outcome:
    """Misuse of residents' records is looked for."""
    book = look.of.rulebook.rules if look.of.rulebook else None
    held = [rule for rule in book.rules if "city.resident_view" in rule.feeds] if book else []
    words = Words(
        f"住民情報の照会を見るルール {len(held)} 本", f"{len(held)} rules on views of residents' records"
    )
    return Outcome(bool(held), words, "rules in force: fed by city.resident_view")


def digests(look: Look, _: Any) -> Outcome:
    """Reports are made regularly; those of one organisation alone count for that organisation."""
    whose, start = look.of.whose, look.now - 40 * DAY
    found = look.of.records.find("report", limit=_MOST)
    own = [one.body for one in found if one.body.get("organization", "") == whose]
    n = sum((times.parse(body.get("created")) or start - DAY) >= start for body in own)
    words = Words(f"40日間に作った報告書 {n} 件", f"reports in 40 days: {n}")
    return Outcome(n > 0, words, f'records report: created, organization="{whose}"', start)


def clocks(look: Look, _: Any) -> Outcome:
    """Event times agree with the times of arrival."""
    start = look.now - DAY
    far: list[str] = []
    judged = 0
    for stats in (one for one in look.datasets if look.since(one, DAY)):
        rows = look.of.events.search("", datasets=[stats.name], span=Span(start, None), limit=_SAMPLE).rows
        gaps = [abs(row["event.ingested"] - row["@timestamp"]) for row in rows if row.get("event.ingested")]
        judged += bool(gaps)
        if gaps and sorted(gaps)[len(gaps) // 2] > _LATE:
            far.append(stats.name)
    words = Words(
        f"ログ {judged} 種類のうち、発生と受信の時刻が5分を超えて違うもの {len(far)} 種類",
        f"{len(far)} of {judged} kinds of logs differ by over five minutes between event and arrival",
    )
    if not judged:
        words = Words(
            "1日以内に届いたログがなく、時刻を比べられない", "no log came within a day: no times to compare"
        )
    return Outcome(
        judged > 0 and not far, words, "events.search(): median |event.ingested - @timestamp|", start
    )


def evidence_taken(look: Look, _: Any) -> Outcome:
    """Evidence of each incident of grade 3 was taken, once it is a day old: the archive, a sealed copy, or a piece in the vault."""
    start = look.now - 365 * DAY
    archives = look.of.records.find("audit", {"action": "console.evidence"}, limit=_MOST)
    pieces = look.of.records.find(EVIDENCE, limit=_MOST)
    kept = {str(one.body["target"]) for one in archives} | {str(one.body["incident_id"]) for one in pieces}
    grave = [one for one in look.incidents if one.grade == 3 and look.now - one.opened > DAY]
    left = [one for one in grave if kept.isdisjoint(family(one))]
    words = Words(
        f"過去一年の「{GRADES[3].ja}」 {len(grave)} 件のうち、証拠を保存したもの {len(grave) - len(left)} 件{_numbered(left)}",
        f"evidence was taken of {len(grave) - len(left)} of {len(grave)} incidents of grade {GRADES[3].en.lower()}"
        f" in a year{_numbered(left)}",
    )
    return Outcome(not left, words, "records evidence, audit action=console.evidence: by incident", start)


def playbooks(look: Look, _: Any) -> Outcome:
    """Each incident of grade 2 or more that was no false alarm had a plan, once it is a day old; and a playbook was carried out or
    rehearsed within a year."""
    n, start = len(catalogue()), look.now - 365 * DAY
    real = [
        one
        for one in look.incidents
        if one.grade >= 2 and look.now - one.opened > DAY and one.verdict in {None, Verdict.TRUE_POSITIVE}
    ]
    left = [one for one in real if not one.run_ids]
    words = Words(
        f"封じ込めの手順 {n} 種類。過去一年の「{GRADES[2].ja}」以上(誤検知などを除く) {len(real)} 件のうち、計画を立てたもの"
        f" {len(real) - len(left)} 件{_numbered(left)}。{rehearsed(look, None).words.ja}",
        f"{n} playbooks; a plan was made for {len(real) - len(left)} of {len(real)} incidents of grade"
        f" {GRADES[2].en.lower()} or above in a year, false alarms left out{_numbered(left)};"
        f" {rehearsed(look, None).words.en}",
    )
    good = not left and rehearsed(look, None).good
    return Outcome(good, words, "records incident: run_ids; playbook_run: state=done", start)


def exceptions_dated(look: Look, _: Any) -> Outcome:
    """Every suppression has a reason and an end."""
    found = look.of.records.find("suppression", limit=_MOST)
    bare = [
        one
        for one in found
        if not (one.body.get("until") or one.body.get("expires")) or not one.body.get("reason")
    ]
    words = Words(
        f"検知の例外 {len(found)} 件、理由や期限のないもの {len(bare)} 件",
        f"{len(found)} exceptions of detection, {len(bare)} without reason or end",
    )
    return Outcome(not bare, words, "records suppression: reason, until")


def cloud_logged(look: Look, _: Any) -> Outcome:
    """Cloud services send their audit logs."""
    names = [one.name for one in look.datasets if one.name in clouds.OPERATIONS and look.since(one, 7 * DAY)]
    words = Words(
        f"クラウドの監査ログ {len(names)} 種類(7日間)", f"audit logs of {len(names)} cloud services in 7 days"
    )
    return Outcome(bool(names), words, "events.datasets(): cloud services", look.now - 7 * DAY)


Check = Callable[[Look, Any], Outcome]
CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        rules, logs, offices, taken, notified, rehearsed, drilled, arriving, not_silent, kept_a_year, audit_whole, rules_run,
        correlations, signin_watched, insider_rules, digests, clocks, evidence_taken, playbooks, exceptions_dated,
        cloud_logged,
    )
}  # fmt: skip
