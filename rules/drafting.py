"""An event as the draft of a Sigma rule: the narrowest log source that fits, what tells it apart, who and where as remarks.

The draft matches its event. Names are those that Sigma's rules use for the product where a log-source table knows the
dataset, else our columns under `product: hinomi`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hinomi.text import inert
from rules.engine.fold import fold_all
from rules.engine.logsource import OWN, Tables
from rules.engine.routes import Route
from rules.scalar import scalar

_WHAT = (
    ("event.code", "何番の出来事か / which event"),
    ("winlog.event_id", "何番の出来事か / which event"),
    ("event.provider", "どの部分の記録か / which part of the product"),
    ("event.action", "何をしたか / what was done"),
    ("event.outcome", "成否 / outcome"),
    ("rule.name", "製品が付けた名前 / the product's own name for it"),
    ("process.name", "どのプログラムか / which program"),
    ("process.executable", "どのプログラムか / which program"),
    ("process.command_line", "どう起動したか / how it was started"),
    ("process.parent.name", "何が起動したか / what started it"),
    ("process.parent.executable", "何が起動したか / what started it"),
    ("file.name", "どのファイルか / which file"),
    ("file.extension", "ファイルの種類 / kind of file"),
    ("registry.path", "レジストリのどこか / where in the registry"),
    ("http.request.method", "何を求めたか / what was asked for"),
    ("http.response.status_code", "どう答えたか / how it was answered"),
    ("url.domain", "どの相手か / which site"),
    ("url.path", "相手のどこか / where on the site"),
    ("user_agent.original", "何で見たか / with what"),
    ("dns.question.name", "どの名前か / which name"),
    ("dns.question.type", "何を尋ねたか / what was asked"),
    ("network.protocol", "どの通信か / which traffic"),
    ("destination.port", "どの入口か / which port"),
    ("group.name", "どのグループか / which group"),
    ("winlog.event_data.Image", "どのプログラムか / which program"),
    ("winlog.event_data.NewProcessName", "どのプログラムか / which program"),
    ("winlog.event_data.CommandLine", "どう起動したか / how it was started"),
    ("winlog.event_data.ParentImage", "何が起動したか / what started it"),
    ("winlog.event_data.TargetFilename", "どのファイルか / which file"),
    ("winlog.event_data.TargetObject", "レジストリのどこか / where in the registry"),
    ("winlog.event_data.ServiceName", "どのサービスか / which service"),
    ("winlog.event_data.TaskName", "どのタスクか / which task"),
    ("winlog.event_data.ShareName", "どの共有か / which share"),
    ("winlog.event_data.LogonType", "サインインの種類 / kind of sign-in"),
    ("winlog.event_data.Status", "理由の番号 / why, as a number"),
    ("winlog.event_data.QueryName", "どの名前か / which name"),
    ("source.zone", "どの網から / from which network"),
    ("destination.zone", "どの網へ / to which network"),
)
"""What tells an event apart, in the order in which a person reads it. The rest is who, where, when and how much."""
_WHO = (
    "user.name",
    "user.target.name",
    "host.name",
    "source.ip",
    "destination.ip",
    "client.ip",
    "source.geo.country_iso_code",
)
_NOISE = re.compile(
    r"(?i)(time|date|guid|uuid|hash|session|version|serial|signature|record|correlation|transaction|logonid|processid"
    r"|threadid|sid|port|bytes|duration|count|original|message|raw|address|ip|workstation|host|user|domain|account)"
)
_ANY_PRODUCT = "generic"  # the table of log sources that name no product
_TOO_LONG, _LEFTOVERS, _WORDS = 120, 6, 6
_ID_LIKE = re.compile(r"[0-9a-fA-F{}-]{8,}|.*\d{5,}.*|\d{1,4}([-:./]\d{1,4})+.*")


@dataclass(frozen=True, slots=True)
class Source:
    """A log source and the route to the event's dataset; route None: our own columns."""

    logsource: Mapping[str, str]
    route: Route | None

    def name(self, column: str) -> str | None:
        """What Sigma calls a column here; None where it has no name for it."""
        if self.route is None:
            return column
        for name, held in self.route.fields.items():
            if held == column:
                return name
        start, _, end = self.route.otherwise.format(field="\0", dataset=self.route.dataset).partition("\0")
        inner = column[len(start) : len(column) - len(end)] if column.startswith(start) else ""
        return next((one for one in (inner, column) if one and self.route.column(one) == column), None)


def source_of(event: Mapping[str, Any], tables: Tables) -> Source:
    """The narrowest log source of the public tables whose rows the event is one of, else our own.

    event: dotted column → value, with `event.dataset`.
    """
    dataset = str(event.get("event.dataset") or "")
    found = [one for one in _candidates(tables, dataset) if _fits(one, event)]
    if found:
        return max(found, key=lambda one: _narrow(one, dataset))
    return Source({"product": OWN, **({"service": dataset} if dataset else {})}, None)


def _candidates(tables: Tables, dataset: str) -> Iterator[Source]:
    for table in tables.tables:
        product = {} if table.product == _ANY_PRODUCT else {"product": table.product}
        kinds = {"category": table.categories, "service": table.services}
        for kind, groups in kinds.items():
            for name, routes in groups.items():
                fitting = [route for route in routes if route.dataset == dataset]
                yield from (Source({**product, kind: name}, route) for route in fitting)


def _fits(source: Source, event: Mapping[str, Any]) -> bool:
    """Whether the event is of its rows. A product that shares the dataset (`generic.json`) must tell its rows apart."""
    route, product = source.route, source.logsource.get("product")
    if route is None or (product is not None and product not in route.dataset and not route.where):
        return False
    for column, values in route.where:
        held = event.get(column)
        texts = [str(one) for one in held] if isinstance(held, list) else [str(held)]
        if held is None or set(fold_all(texts)).isdisjoint(values):
            return False
    return True


def _narrow(source: Source, dataset: str) -> tuple[bool, int, int, bool]:
    assert source.route is not None
    width = sum(len(values) for _, values in source.route.where)
    return (
        source.logsource.get("product", "?") in dataset,
        len(source.route.where),
        -width,
        "category" in source.logsource,
    )


def draft(event: Mapping[str, Any], tables: Tables, *, identity: str, author: str, today: date) -> str:
    """The rule as YAML with remarks. event: dotted column → value; identity: the rule's id, a UUID of version 4."""
    source = source_of(event, tables)
    what, who = list(_what(event, source)), list(_who(event, source))
    dataset = inert(str(event.get("event.dataset") or "?"))
    head = [
        "# イベント1件から作った下書きです。題名、水準、手順を書き、hinomi rules lint、test、backtest で確かめてください。",
        "# A draft out of one event: give it a title, a level and steps, then run hinomi rules lint, test and backtest.",
        f"title: {scalar(f'Draft from an event of {dataset}')}",
        "title_ja: '(下書き)何が起きたかを一言で'",
        f"id: {identity}",
        "status: experimental",
        "description: 'What happened, and why it matters.'",
        f"author: {scalar(author)}",
        f"date: '{today.isoformat()}'",
        "# tags: [attack.initial-access, attack.t1078]  # ATT&CK の戦術と技術 / tactic and technique",
        "logsource:",
        *(f"  {key}: {scalar(value)}" for key, value in source.logsource.items()),
        "detection:",
        "  selection:",
    ]
    return "\n".join([*head, *what, *who, *_TAIL]) + "\n"


_TAIL = [
    "  condition: selection",
    "falsepositives:",
    "  - '(下書き)どんな正しい作業でも起きるか / what legitimate work looks the same'",
    "level: medium",
    "what_to_do_ja: '(下書き)警報を受けた職員が最初にすること'",
    "what_to_do_en: 'First thing to do for whoever gets the alert.'",
    "# hinomi: {guideline: [MIC-7.1], owner: h.sato}  # 応える条項と担当 / clause served, owner",
]


def _what(event: Mapping[str, Any], source: Source) -> Iterator[str]:
    told = {column for column, values in (source.route.where if source.route else ()) if len(values) == 1}
    windows = any(
        column.startswith("winlog.") for column in event
    )  # whose ECS columns say the same once more
    rows = []
    for column, remark in _WHAT:
        if (
            column not in told
            and (not windows or column.startswith("winlog."))
            and (said := _said(event.get(column), source.name(column), column))
        ):
            rows.append((remark, said))
    if len(rows) < 3:
        rows += [("製品の記録から / from the product's record", said) for said in _leftovers(event, source)]
    known: set[str] = set()
    for remark, said in rows or [("どれか一つを残してください / keep one", _line(event))]:
        if said.partition(":")[0] in known:
            continue
        known.add(said.partition(":")[0])
        yield f"    # {remark}"
        yield f"    {said}"


def _leftovers(event: Mapping[str, Any], source: Source) -> Iterator[str]:
    """The vendor's own fields with short words for values."""
    left = _LEFTOVERS
    for column, value in sorted(event.items()):
        own = column.count(".") >= 2 and column.split(".")[0] not in {
            "event",
            "log",
            "hinomi",
            "threat",
            "user",
        }
        last = column.rpartition(".")[2]
        if (
            left
            and own
            and isinstance(value, str)
            and not _NOISE.search(last)
            and not _ID_LIKE.fullmatch(value)
        ):
            said = _said(value, source.name(column), column)
            left -= bool(said)
            if said:
                yield said


def _line(event: Mapping[str, Any]) -> str:
    return f"event.dataset: {scalar(str(event.get('event.dataset') or ''))}"


def _who(event: Mapping[str, Any], source: Source) -> Iterator[str]:
    found = [said for one in _WHO if (said := _said(event.get(one), source.name(one) or one, one))]
    if found:
        yield "    # だれ・どこ。条件に入れるものだけ # を外す / who and where: take the # off what shall count"
    yield from (f"    # {said}" for said in found)


def _said(value: object, name: str | None, column: str) -> str:
    """`field: value` as Sigma writes it; empty where there is nothing to say."""
    held = value[0] if isinstance(value, list) and value else value
    if name is None or held is None or held == "" or isinstance(held, (list, dict)):
        return ""
    if isinstance(held, bool):
        return f"{scalar(name)}: {str(held).lower()}"
    text = str(held)
    if column.endswith(("command_line", "CommandLine")):
        words = _words(text)
        return f"{scalar(name)}|contains|all: [{', '.join(words)}]" if words else ""
    if column.endswith(("executable", "Image", "NewProcessName")) and "\\" in text:
        return f"{scalar(name)}|endswith: {_value(chr(92) + text.rpartition(chr(92))[2])}"
    return f"{scalar(name)}: {_value(text)}" if len(text) <= _TOO_LONG else ""


def _words(text: str) -> list[str]:
    """Words of a command line after the program, those that look made up for the occasion left out."""
    parts = text.split()[1:]
    fitting: Sequence[str] = [one for one in parts if 2 < len(one) <= 40 and not _ID_LIKE.fullmatch(one)]
    return [_value(one) for one in dict.fromkeys(fitting)][:_WORDS]


def _value(text: str) -> str:
    """A value that Sigma takes literally."""
    if text.isascii() and text.isdigit() and str(int(text)) == text and len(text) < 16:
        return text
    return scalar(re.sub(r"\\(?=[*?\\]|$)|[*?]", lambda found: "\\" + found[0], text))
