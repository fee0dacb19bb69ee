"""What a hunt is asked to do, and how one process does it, in this one or in one of its workers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from collectors.hunt_parts import Part
from hinomi.collecting import no_collection, stay
from hinomi.errors import InputError
from ops.hunt.fed import Fed
from ops.hunt.tally import Tally
from rules import engine
from rules.in_force import InForce

if TYPE_CHECKING:
    from rules.selector import Selector

Parts = Iterable[tuple[int, Part] | None]


class Loaded(NamedTuple):
    """The rules: how many, how many of them cannot run, what is wrong with those and others, seconds to load them; watching:
    correlations and baselines, which look at what the rules find.

    valueless: the placeholders that were given no values, for each rule that cannot run for that: no problem of the rule.
    """

    rules: int
    unsupported: int
    problems: list[str]
    seconds: float
    valueless: list[str]
    watching: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """rules, cache: which rules, and where compiled ones are kept; the others: see `ops.hunt.reading`; zone: of times that name none;
    own: folders of the city's own mappings."""

    rules: InForce
    cache: Path
    own: tuple[Path, ...]
    source: str
    sieve: bool
    jsonl: bool
    zone: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        rules = self.rules
        return {
            "folders": list(map(str, rules.folders)),
            "pipelines": list(rules.pipelines),
            "placeholders": {name: list(values) for name, values in rules.placeholders.items()},
            "disable": [one.model_dump(mode="json") for one in rules.disable],
            "enable": [one.model_dump(mode="json") for one in rules.enable],
            "choice_file": None if rules.choice_file is None else str(rules.choice_file),
            "cache": str(self.cache),
            "plain": [self.source, self.sieve, self.jsonl, self.zone],
            "own": list(map(str, self.own)),
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """The job of `as_json`'s values."""
        rules = InForce(
            list(map(Path, said["folders"])),
            said["pipelines"],
            said["placeholders"],
            _selectors(said["disable"]),
            _selectors(said["enable"]),
            None if said["choice_file"] is None else Path(said["choice_file"]),
        )
        return cls(rules, Path(said["cache"]), tuple(map(Path, said["own"])), *said["plain"])

    def work(self, parts: Parts) -> Iterator[Loaded | bytes | Tally | Fed]:
        """The rules as they were loaded, then what is found in the parts (see `read`).

        Raises HinomiError where the zone, rules or files cannot be read, or there is no rule to run.
        """
        loaded, rules = self.load()
        yield loaded
        yield from self.read(rules, parts)

    def load(self) -> tuple[Loaded, engine.RuleSet]:
        """The rules, and what is to be said of them. Raises HinomiError where the zone or they cannot be read."""
        from collectors import catalogue
        from ops import zones

        if self.zone:
            zones.use(self.zone)
        catalogue.add_new(self.own)
        start = perf_counter()
        with no_collection():
            rules = self.rules.load(self.cache)
            stay()
        problems, idle = list(map(str, rules.problems)), rules.unsupported
        valueless: list[str] = []
        for rule in idle:
            assert rule.unsupported is not None
            if rule.valueless:
                valueless.append(rule.valueless)
            else:
                problems.append(str(engine.Problem(rule.path, None, rule.unsupported)))
        watching = len(rules.compiled.correlations) + len(rules.others)
        return Loaded(rules.size, len(idle), problems, perf_counter() - start, valueless, watching), rules

    def read(self, rules: engine.RuleSet, parts: Parts) -> Iterator[bytes | Tally | Fed]:
        """Of each part what was found in it and, at last, what was counted (see `ops.hunt.reading.Hunting.work`).

        Raises HinomiError where files cannot be read, or there is no rule to run.
        """
        from ops.hunt.reading import Hunting

        if not rules.size:
            places = ", ".join(map(str, self.rules.folders))
            raise InputError(
                f"{places}: 動かせる Sigma ルールがありません。--rules を確かめてください。",
                f"{places}: no Sigma rule to run; see hinomi rules check",
            )
        yield from Hunting(rules, self.source, self.sieve, self.jsonl).work(parts)


def _selectors(said: list[dict[str, Any]]) -> list["Selector"]:
    if not said:
        return []
    from rules.selector import Selector  # models, which a hunt that switches nothing off has no use for

    return [Selector(**one) for one in said]
