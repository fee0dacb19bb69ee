"""Some rules picked out by file, id or name, loaded with what they watch and nothing else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinomi import yamlfile
from hinomi.errors import ContentError, ManyErrors, Where
from rules import engine, watching
from rules.engine import Correlation, Other, RuleSet
from rules.in_force import InForce


@dataclass(frozen=True, slots=True)
class Picked:
    """rules: those asked for and those that they watch; ids: of those asked for; titles: by id, as written."""

    rules: RuleSet
    ids: tuple[str, ...]
    titles: Mapping[str, str]


def pick(source: InForce, asked: Sequence[str], cache: Path | None = None) -> Picked:
    """The rules of these files and folders, and those of these ids or names among the rules in force.

    What they watch is looked for beside them, then among the rules in force; the exceptions in force apply. Raises
    ContentError for a rule that is not there, that cannot be read or that cannot run.
    """
    files = engine.rule_files(Path(one) for one in asked if Path(one).exists())
    names = [one for one in asked if not Path(one).exists()]
    documents = list(_documents(files))
    own = {str(value.get(key)) for value in documents for key in ("id", "name")}
    wanted = {name for value in documents for name in watching.named(value)} - own
    held = source.load(cache) if names or wanted else None
    more = [path for name in [*names, *sorted(wanted)] for path in _files(held, name)]
    more += [one.path for one in held.filters] if held is not None else []
    loaded = engine.load(
        list(dict.fromkeys([*files, *more])), pipelines=source.pipelines, placeholders=source.placeholders
    )
    picked = dict(_picked(loaded, set(files), names))
    _check(loaded, files, picked)
    return Picked(loaded, tuple(picked), picked)


def _documents(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from (one.value for one in yamlfile.read_all(file) if isinstance(one.value, dict))


def _files(rules: RuleSet | None, name: str) -> Iterator[Path]:
    """The file of a rule in force, and those of what it watches."""
    assert rules is not None
    rule, document = rules.rule(name), watching.document(rules, name)
    if rule is None and document is None:
        raise ContentError(
            f"「{name}」というルールは、動いているルールの中にありません(止めてあるルールはファイルで指定してください)。",
            f'no rule in force is called "{name}" (name the file of one that is switched off)',
        )
    if rule is not None:
        yield rule.path
    if document is not None:
        yield document[0]
        for inner in watching.named(document[1]):
            yield from _files(rules, inner) if inner != name else ()


def _picked(rules: RuleSet, files: set[Path], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(id, title) of what was asked for."""
    for rule in rules.rules:
        if rule.path in files or rule.id in names or rule.name in names:
            yield rule.id, str(rule.custom.get("title_ja") or rule.title)
    every: list[Correlation | Other] = [*rules.correlations, *rules.others]
    for one in every:
        said = one.document
        if one.path in files or not {str(said.get("id")), str(said.get("name"))}.isdisjoint(names):
            yield str(said.get("id")), str(said.get("title_ja") or said.get("title") or "")


def _check(rules: RuleSet, files: Sequence[Path], picked: Mapping[str, str]) -> None:
    wrong = [
        ContentError(one.reason.ja, one.reason.en, where=Where(one.path, one.line))
        for one in rules.problems
        if one.path in files
    ]
    wrong += [
        ContentError(rule.unsupported.ja, rule.unsupported.en, where=Where(rule.path))
        for rule in rules.unsupported
        if rule.unsupported is not None and rule.id in picked
    ]
    if wrong:
        raise ManyErrors([*wrong])
    if not picked:
        raise ContentError(
            "ルールがありません。", "there is no rule here", where=Where(next(iter(files), None))
        )
