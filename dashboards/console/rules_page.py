"""The rules page: volume, precision, last hit, what feeds each; coverage of ATT&CK; a draft tried on past days."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from starlette.responses import Response

from dashboards import attack, times
from dashboards.console import pager
from dashboards.console.evidence import Shown, show_event
from dashboards.console.loudness import loudness
from dashboards.console.visit import Visit
from hinomi import ecs
from hinomi.alert import Alert, Level
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.clock import JST
from hinomi.errors import InputError
from hinomi.store import Span
from hinomi.words import Words
from rules import engine, stats
from rules.coverage import coverage, layer
from rules.engine.logsource import ANY_DATASET
from rules.engine.ruleset import Problem, Rule

_PAGE, _EXAMPLES, _LONGEST, _FRAMES = 100, 10, 20_000, 400
_DAYS = (1, 7, 30)
Matrix = list[tuple[Words, list[tuple[str, Words, int, int]]]]
"""Tactic → its techniques: id, name, rules, rules that are fed."""


@dataclass(slots=True)
class Kept:
    """A rule as people look after it."""

    id: str
    name: str
    title: Words
    level: Level
    kind: str
    feeds: tuple[str, ...]
    alerts: int = 0
    last: datetime | None = None
    signals: int = 0
    share: float | None = None
    """Of the time that matching took, 0 to 1; None where it was never measured."""
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> str:
        """Share of the judged ones that were not false."""
        right = self.verdicts["true_positive"] + self.verdicts["benign"]
        judged = right + self.verdicts["false_positive"]
        return f"{right / judged:.0%}" if judged else "—"


def show(visit: Visit) -> Response:
    """Every rule in force with its figures of the last 30 days, the loudest first."""
    every = kept(visit)
    arriving = _arriving(visit)
    word = visit.asked("q").strip().lower()
    found = [one for one in every if word in f"{one.title.ja} {one.title.en} {one.name} {one.id}".lower()]
    page = pager.page_number(visit.asked("page", "1"), len(found), _PAGE)
    return visit.page(
        "rules.html",
        rules=found[(page - 1) * _PAGE : page * _PAGE],
        total=len(found),
        page_number=page,
        pages=pager.pages(len(found), _PAGE),
        arriving=arriving,
        any_dataset=ANY_DATASET,
        asked=visit.asked("q"),
        matrix=_matrix(visit, arriving),
        exceptions=[record.body for record in visit.console.records.find("suppression", limit=500)],
        proposed=visit.console.records.count("tuning", {"state": "proposed"}),
        days=_DAYS,
    )


def rule(visit: Visit) -> Response:
    """One rule: what it asks, what it watches, its exceptions, its last alerts."""
    reference = str(visit.request.path_params["rule"])
    found = next((one for one in kept(visit) if reference in (one.id, one.name)), None)
    if found is None:
        raise InputError("この検知ルールは、いま動いていません。", "this rule is not in force")
    console = visit.console
    alerts = [
        r.read_as(Alert)
        for r in console.records.find("alert", {"rule_id": found.id}, limit=20, order="-detected")
    ]
    return visit.page(
        "rule.html",
        rule=found,
        source=_source(visit, found.id),
        watches=[
            _title(base.title, base.custom).of(visit.language)
            for base in console.rulebook.bases(found.id)
            if base.id != found.id
        ],
        alerts=alerts,
        exceptions=[r.body for r in console.records.find("suppression", {"rule_id": found.id}, limit=50)],
    )


def navigator(visit: Visit) -> Response:
    """The coverage as a layer for the ATT&CK Navigator."""
    made = navigator_layer(visit)
    headers = {"Content-Disposition": 'attachment; filename="hinomi-attack-layer.json"'}
    return Response(
        orjson.dumps(made, option=orjson.OPT_INDENT_2), media_type="application/json", headers=headers
    )


def navigator_layer(visit: Visit) -> Mapping[str, Any]:
    """ATT&CK coverage of the rules in force and of the sources that arrive, as the Navigator takes it."""
    return layer(coverage(visit.console.rulebook.rules, _arriving(visit)), "Hinomi")


def trial(visit: Visit) -> Response:
    """Try the draft of the form on past days: how many events it would have matched, by day, with examples."""
    text, days = visit.form.get("draft", ""), visit.form.get("days", "1")
    if not text.strip() or len(text) > _LONGEST or days not in {str(n) for n in _DAYS}:
        raise InputError("下書きと日数を入力してください。", "give a draft and a number of days")
    wrong, found = tried(visit, text, int(days))
    return visit.page("trial.html", draft=text, days=_DAYS, chosen=int(days), wrong=wrong, found=found)


def tried(visit: Visit, text: str, days: int) -> "tuple[list[Problem], Tried | None]":
    """(what is wrong with the draft, what it would have matched), written to the audit log."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "draft.yml"
        file.write_text(text, encoding="utf-8")
        loaded = engine.load([file])
        wrong = [*loaded.problems]
        wrong += [Problem(file, None, one.unsupported) for one in loaded.unsupported if one.unsupported]
        found = _tried(visit, loaded, days) if loaded.rules and not wrong else None
    action, details = "console.rule_trial", {"days": days, "rules": len(loaded.rules)}
    visit.console.audit.append(actor=visit.actor, action=action, target="", details=details)
    return wrong, found


@dataclass(slots=True)
class Tried:
    """What a draft would have matched. cut: whether the search stopped before the end."""

    events: int = 0
    looked: int = 0
    by_day: Counter[str] = field(default_factory=Counter)
    examples: list[Shown] = field(default_factory=list)
    cut: bool = False


def _tried(visit: Visit, loaded: engine.RuleSet, days: int) -> Tried:
    tried, now = Tried(), visit.console.clock.now()
    last = max((one.last for one in visit.console.events.datasets() if one.last), default=now)
    span = Span(min(now, last) - timedelta(days=days), None)
    feeds = {name for one in loaded.rules for name in one.feeds}
    names = [s.name for s in visit.console.events.datasets() if s.name not in {SIGNALS, DEAD_LETTERS}]
    frames = 0
    for name in (one for one in names if ANY_DATASET in feeds or one in feeds):
        for frame in visit.console.events.scan(name, span=span):
            frames += 1
            if frames > _FRAMES:
                tried.cut = True
                return tried
            _look(visit, loaded, Batch(name, frame, ""), tried)
    return tried


def _look(visit: Visit, loaded: engine.RuleSet, batch: Batch, tried: Tried) -> None:
    tried.looked += len(batch)
    rows = sorted({row for _, found in loaded.match(batch).hits for row in found.tolist()})
    tried.events += len(rows)
    for row in ecs.rows(batch.frame[rows]):
        moment = times.parse(row["@timestamp"])
        tried.by_day[f"{moment.astimezone(JST):%Y-%m-%d}" if moment else "—"] += 1
        if len(tried.examples) < _EXAMPLES:
            hidden = visit.console.residents.guards(batch.dataset)
            tried.examples.append(show_event(row, hidden=hidden))


def kept(visit: Visit) -> list[Kept]:
    """Every rule in force, the loudest first, counted at most a minute ago."""
    return visit.console.counted.get("rules", lambda: _counted(visit))


def _counted(visit: Visit) -> list[Kept]:
    rules = visit.console.rulebook.rules
    base = {reference.reference for one in rules.correlations for reference in one.rule.rules or []}
    held = {one.id: _detection(one, base) for one in rules.rules if one.unsupported is None}
    for kind, documents in (("correlation", rules.correlations), ("baseline", rules.others)):
        for document in (one.document for one in documents):
            identity = str(document.get("id"))
            feeds = tuple(
                sorted({name for one in visit.console.rulebook.bases(identity) for name in one.feeds})
            )
            name = str(document.get("name") or identity)
            title = _title(str(document.get("title", "")), document)
            held[identity] = Kept(
                identity, name, title, Level(str(document.get("level", "medium"))), kind, feeds
            )
    since = visit.console.clock.now() - timedelta(days=30)
    for identity, volume in loudness(visit.console.records).since(since).items():
        if (one := held.get(identity)) is not None:
            one.alerts, one.last, one.verdicts = volume.alerts, volume.last, volume.verdicts
    for identity, figure in stats.figures(visit.console.records, since).items():
        if (one := held.get(identity)) is not None:
            one.signals, one.share = figure.signals, figure.share if figure.seconds else None
    return sorted(held.values(), key=lambda one: (-one.alerts, -one.level.rank, one.title.ja))


def _detection(one: Rule, base: Collection[str]) -> Kept:
    kind = "base" if one.id in base or one.name in base else "detection"
    title, level = _title(one.title, one.custom), Level(one.level)
    return Kept(one.id, one.name or one.id, title, level, kind, one.feeds)


def _title(title: str, custom: Any) -> Words:
    return Words(str(custom.get("title_ja") or title), title)


def _arriving(visit: Visit) -> list[str]:
    return [s.name for s in visit.console.events.datasets() if s.name not in {SIGNALS, DEAD_LETTERS}]


def _matrix(visit: Visit, arriving: list[str]) -> Matrix:
    return visit.console.matrices.get(tuple(arriving), lambda: _laid_out(visit, arriving))


def _laid_out(visit: Visit, arriving: list[str]) -> Matrix:
    """Tactic → its techniques with rules and rules that are fed, in the order of an intrusion."""
    covered = coverage(visit.console.rulebook.rules, arriving)
    names = dict(attack.techniques([f"attack.{one.technique.lower()}" for one in covered]))
    return [
        (name, [(o.technique, names[o.technique], o.rules, o.fed) for o in covered if key in o.tactics])
        for key, (_, name) in attack.tactics().items()
        if any(key in one.tactics for one in covered)
    ]


def _source(visit: Visit, identity: str) -> str:
    """The rule's own text."""
    rules = visit.console.rulebook.rules
    own = rules.rule(identity)
    correlation = visit.console.rulebook.correlation(identity)
    others = [one.path for one in rules.others if str(one.document.get("id")) == identity]
    path = own.path if own else correlation.path if correlation else next(iter(others), None)
    try:
        return path.read_text(encoding="utf-8")[:_LONGEST] if path else ""
    except OSError:
        return ""
