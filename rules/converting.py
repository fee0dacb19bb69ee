"""Rules in the query languages of other systems, by sigma-cli and the pySigma backends installed beside it.

Our field names come from the log-source tables as an ordinary pySigma pipeline, which other tools can use as well. Where
a log source has several routes (Sysmon, and Security 4688), each is a conversion of its own.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sigma.plugins import InstalledSigmaPlugins

from hinomi import yamlfile
from hinomi.errors import ContentError, InputError, Where
from hinomi.text import inert
from rules import watching
from rules.engine import Rule, RuleSet, expression, logsource
from rules.engine.fold import fold_all
from rules.engine.logsource import ANY_DATASET
from rules.engine.routes import Route
from rules.picked import Picked

_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Converted:
    """datasets: where the query looks; where: rows of them; query: what the backend printed."""

    datasets: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]
    query: str

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"datasets": list(self.datasets), "where": dict(self.where), "query": self.query}


def targets() -> list[str]:
    """The backends that are installed."""
    return sorted(InstalledSigmaPlugins.autodiscover().backends)


def convert(
    picked: Picked, target: str, *, output: str = "", pipelines: Sequence[str] = (), ours: bool = True
) -> list[Converted]:
    """The rules picked, with those they watch, in a target's language, once for each route of their log sources.

    output: a format of the target; pipelines: more of pySigma's, applied first; ours: whether our field names are used.
    Raises InputError for a target that is not installed, ContentError with what it cannot say.
    """
    if target not in targets():
        there = ", ".join(targets())
        raise InputError(
            f"変換先「{target}」は入っていません。入っているもの: {there}(ほかは pip install pysigma-backend-… で足せます)。",
            f'no backend "{target}"; installed: {there} (pip install pysigma-backend-…)',
        )
    text, used = _collection(picked)
    if not ours:
        return [Converted((), {}, _run(text, target, output, pipelines, None))]
    routes = {rule.id: picked.rules.tables.routes(rule.logsource) for rule in used}
    unfed = [rule for rule in used if not routes[rule.id]]
    if unfed:
        raise ContentError(
            "このログソースを供給するソースがありません。--plain で変換してください。",
            "no source of ours carries this log source; convert with --plain",
            where=Where(unfed[0].path),
        )
    return [
        _converted(
            picked.rules,
            [(rule, routes[rule.id]) for rule in used],
            number,
            text,
            (target, output, pipelines),
        )
        for number in range(max(len(one) for one in routes.values()))
    ]


def _converted(
    rules: RuleSet,
    routed: Sequence[tuple[Rule, Sequence[Route]]],
    number: int,
    text: str,
    asked: tuple[str, str, Sequence[str]],
) -> Converted:
    """By the number-th route of each rule; a rule with fewer keeps its last."""
    chosen = [(rule, routes[min(number, len(routes) - 1)]) for rule, routes in routed]
    return Converted(
        tuple(sorted({route.dataset for _, route in chosen})),
        {column: values for _, route in chosen for column, values in route.where},
        _run(text, *asked, pipeline(rules, chosen)),
    )


def _collection(picked: Picked) -> tuple[str, list[Rule]]:
    """The documents asked for and those that they watch as one YAML text, and the detection rules among them."""
    wanted, used = set(picked.ids), {}
    for one in picked.ids:
        used.update({rule.id: rule for rule in watching.bases(picked.rules, one)})
        wanted |= watching.reached(picked.rules, one)
    documents = [*_documents(picked, wanted | set(used))]
    if not used or not documents:
        raise ContentError(
            "変換できる Sigma ルールがありません(平常値は火の見独自の種類です)。",
            "no Sigma rule to convert (baselines are a kind of our own)",
        )
    return yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False), list(used.values())


def _documents(picked: Picked, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """Documents of these ids, exceptions that apply to them; what has no id, or is common to a file, goes along."""
    filters = {one.path for one in picked.rules.filters if not set(one.applied).isdisjoint(wanted)}
    paths = [rule.path for rule in picked.rules.rules if rule.id in wanted]
    paths += [one.path for one in picked.rules.correlations if str(one.document.get("id")) in wanted]
    for path in dict.fromkeys([*paths, *sorted(filters)]):
        for document in (one.value for one in yamlfile.read_all(path) if isinstance(one.value, dict)):
            plain = "baseline" not in document and ("filter" not in document or path in filters)
            if plain and (not {"id", "title"} & document.keys() or _is_wanted(document, wanted)):
                yield document


def _is_wanted(document: Mapping[str, Any], wanted: Collection[str]) -> bool:
    return "filter" in document or "id" not in document or str(document["id"]) in wanted


def pipeline(rules: RuleSet, chosen: Sequence[tuple[Rule, Route]]) -> dict[str, Any]:
    """A pySigma pipeline that says our columns, rule by rule."""
    items: list[dict[str, Any]] = []
    for rule, route in chosen:
        said = ("title", rule.title) if len(rule.id) != _UUID else ("id", rule.id)
        condition = [{"type": "rule_attribute", "attribute": said[0], "value": said[1]}]
        fields = {test.field for test in expression.tests(rules.said(rule)) if test.field}
        mapping = {name: _columns(route, name, rule.path) for name in sorted(fields)}
        index = "logs-*" if route.dataset == ANY_DATASET else f"logs-{route.dataset}-*"
        items += _values(rule, route, condition)
        items.append(_item(f"fields {rule.id}", "field_name_mapping", condition, mapping=mapping))
        items.append(_item(f"rows {rule.id}", "add_condition", condition, conditions=_rows(route)))
        items.append(_item(f"index {rule.id}", "set_state", condition, key="index", val=index))
    return {"name": "Hinomi", "priority": 50, "transformations": items}


def _item(identity: str, kind: str, condition: Iterable[object], **more: object) -> dict[str, Any]:
    return {"id": identity, "type": kind, "rule_conditions": list(condition), **more}


def _columns(route: Route, name: str, path: Path) -> str | list[str]:
    columns = route.column(name).split("|")
    if any("[]" in one for one in columns):
        raise ContentError(
            f"欄「{name}」はオブジェクトの並びの中にあり、ほかの言語では書けません。",
            f'the field "{name}" lies in a list of objects, which no other language can ask for alike',
            where=Where(path),
        )
    return columns[0] if len(columns) == 1 else columns


def _values(rule: Rule, route: Route, condition: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What our source writes where a rule writes something else: whole values, whatever their case."""
    for name, said in route.values.items():
        for before, ours in said.items():
            yield {
                **_item(f"{name} {before} {rule.id}", "replace_string", condition),
                "regex": f"(?i)^{re.escape(before)}$",
                "replacement": _written(ours).replace("\\", "\\\\"),
                "field_name_conditions": [{"type": "include_fields", "fields": [name]}],
            }


def _rows(route: Route) -> dict[str, Any]:
    rows: dict[str, Any] = {column: [_written(one) for one in values] for column, values in route.where}
    return rows | ({} if route.dataset == ANY_DATASET else {"event.dataset": route.dataset})


@cache
def _spellings() -> dict[str, str]:
    """Case folded → as a table writes it: routes are kept folded, and other languages mind the case."""
    found: dict[str, str] = {}
    for path in sorted(logsource.FOLDER.glob("*.yml")):
        left: list[Any] = [yamlfile.read(path).value]
        while left:
            one = left.pop()
            if isinstance(one, str):
                found.setdefault(fold_all([one])[0], one)
            elif isinstance(one, (list, dict)):
                left += one.values() if isinstance(one, dict) else one
    return found


def _written(folded: str) -> str:
    return _spellings().get(folded, folded)


def _run(
    text: str, target: str, output: str, pipelines: Sequence[str], document: Mapping[str, Any] | None
) -> str:
    with tempfile.TemporaryDirectory() as folder:
        given, made, rules = list(pipelines), Path(folder) / "query", Path(folder) / "rules.yml"
        rules.write_text(text, encoding="utf-8")
        if document is not None:
            own = Path(folder) / "hinomi.yml"
            own.write_text(
                yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False), encoding="utf-8"
            )
            given.append(str(own))
        options = [part for one in given for part in ("-p", one)] or ["--without-pipeline"]
        options += ["-f", output] if output else []
        command = [
            sys.executable,
            "-c",
            _SIGMA,
            "convert",
            "-t",
            target,
            "--disable-pipeline-check",
            *options,
        ]
        done = subprocess.run(
            [*command, "-o", str(made), str(rules)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
        if done.returncode or not made.exists():
            said = inert(" ".join((done.stderr or done.stdout).replace(folder, "").split()), 600)
            raise ContentError(
                f"sigma-cli が変換できませんでした: {said}", f"sigma-cli could not convert: {said}"
            )
        return made.read_text(encoding="utf-8").strip()


_SIGMA = "from sigma.cli.main import main; main()"
_UUID = 36  # signs of an id that is no digest of ours
