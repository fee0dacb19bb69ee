"""What pySigma's SQLite backend finds: the independent opinion that the engine is compared with.

Parsing, modifiers, conditions and conversion are pySigma's and the backend's own; only which rows a log source
means and what fields are called there come from our tables, since both look at the same normalised events.
Where SQL cannot say what Sigma means, the referee is made to say it, each time for a reason in `MADE_TO`.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.conditions import (
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.conversion.state import ConversionState
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldFunctionTransformation
from sigma.rule import SigmaRule
from sigma.types import SigmaString, SpecialChars

from hinomi.batch import Batch
from rules.engine.columns import KEYWORDS, Columns, as_text
from rules.engine.logsource import Tables
from rules.engine.routes import Route

MADE_TO = {
    "NOT": "SQL's NOT of NULL is NULL, so a filter over a missing field would silence its rule; here it is false",
    "=": "the columns are NOCASE (as Zircolite makes them), since the backend's `=` would tell cases apart",
    "keywords": "the backend refuses them; here they are looked for in all texts of the event, joined",
    "REGEXP": "SQLite leaves the function to its host: Python's `re.search`",
}
_EVERY = "every text of the event"
_GAP = "\x1f"
_CHAIN = 100


class Referee(sqliteBackend):  # type: ignore[misc]  # pySigma's backends are not typed
    """The backend with two-valued negation and keywords."""

    two_valued = True

    def convert_condition_not(self, cond: ConditionNOT, state: ConversionState) -> str:
        """What is not true, also where it is unknown."""
        if not self.two_valued:
            said: str = super().convert_condition_not(cond, state)
            return said
        return f"(({self.convert_condition(cond.args[0], state)}) IS NOT TRUE)"

    def convert_condition_or(self, cond: ConditionOR, state: ConversionState) -> str:
        """Long lists in groups: SQLite allows a chain of a thousand."""
        if len(cond.args) <= _CHAIN:
            said: str = super().convert_condition_or(cond, state)
            return said
        groups = [
            ConditionOR(list(cond.args[at : at + _CHAIN]), cond.source)
            for at in range(0, len(cond.args), _CHAIN)
        ]
        return " OR ".join(f"({self.convert_condition(group, state)})" for group in groups)

    def convert_condition_val_str(self, cond: ConditionValueExpression, state: ConversionState) -> str:
        """The keyword anywhere in any text."""
        wanted = SpecialChars.WILDCARD_MULTI + SigmaString(str(cond.value)) + SpecialChars.WILDCARD_MULTI
        said: str = self.convert_condition(ConditionFieldEqualsValueExpression(_EVERY, wanted), state)
        return said

    def convert_condition_val_num(self, cond: ConditionValueExpression, state: ConversionState) -> str:
        """The same of a number."""
        return self.convert_condition_val_str(cond, state)


@dataclass
class Question:
    """One rule on one route: rows of these places that fulfil the SQL."""

    rule: str
    route: Route
    sql: str
    columns: set[str]


@dataclass
class Asked:
    """The rules as SQL. refused: rule id → why the backend would not convert it."""

    questions: list[Question] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def ask(paths: Sequence[Path], tables: Tables, dataset: str, referee: type[Referee] = Referee) -> Asked:
    """Every rule of these files as SQL, for each of its routes to the dataset."""
    asked = Asked()
    for path in paths:
        [rule] = SigmaCollection.from_yaml(path.read_text(encoding="utf-8")).rules
        assert isinstance(rule, SigmaRule)
        for route in tables.routes(_logsource(rule)):
            if route.dataset == dataset:
                _convert(deepcopy(rule), route, asked, referee)
    return asked


def _logsource(rule: SigmaRule) -> dict[str, str]:
    source = rule.logsource
    parts = {"product": source.product, "category": source.category, "service": source.service}
    return {key: str(value).lower() for key, value in parts.items() if value}


def _convert(rule: SigmaRule, route: Route, asked: Asked, referee: type[Referee]) -> None:
    used: set[str] = set()

    def renamed(name: str) -> str:
        column = name if name == _EVERY else route.column(name)
        used.add(column)
        return column

    pipeline = ProcessingPipeline([ProcessingItem(FieldFunctionTransformation({}, renamed))])
    try:
        queries = referee(processing_pipeline=pipeline).convert_rule(rule)
    except Exception as error:  # whatever pySigma raises is its reason
        asked.refused[str(rule.id)] = f"{type(error).__name__}: {error}"
        return
    wheres = [query.partition(" WHERE ")[2] for query in queries]
    asked.questions.append(Question(str(rule.id), route, " OR ".join(f"({where})" for where in wheres), used))


class Table:
    """One batch as a table of texts."""

    def __init__(self, batch: Batch) -> None:
        self.columns = [
            name for name, dtype in batch.frame.schema.items() if not isinstance(dtype, pl.List | pl.Struct)
        ]
        self.database = sqlite3.connect(":memory:")
        self.known: dict[str, bool] = {}
        self.database.create_function("REGEXP", 2, _regexp, deterministic=True)
        self._fill(batch)

    def _fill(self, batch: Batch) -> None:
        names = [*map(_quoted, self.columns), _quoted(_EVERY)]
        texts = [as_text(batch.frame.get_column(name)).to_list() for name in self.columns]
        held = ", ".join(f"{name} TEXT COLLATE NOCASE" for name in names)
        self.database.execute(f"CREATE TABLE logs ({held})")
        marks = ", ".join("?" * len(names))
        rows = zip(*texts, _joined(batch), strict=True)
        self.database.executemany(f"INSERT INTO logs VALUES ({marks})", rows)

    def rows(self, question: Question) -> set[int]:
        """The rows that answer a question."""
        places = " AND ".join(_places(question.route, self.columns)) or "TRUE"
        if not self._any(places):
            return set()
        missing = question.columns - {*self.columns, _EVERY}
        nulls = "".join(f", NULL AS {_quoted(name)}" for name in sorted(missing))
        found = self.database.execute(
            f"SELECT n FROM (SELECT rowid AS n, *{nulls} FROM logs) WHERE {places} AND ({question.sql})"
        )
        return {row - 1 for (row,) in found}

    def _any(self, places: str) -> bool:
        if places not in self.known:
            [(held,)] = self.database.execute(f"SELECT EXISTS (SELECT 1 FROM logs WHERE {places})")
            self.known[places] = bool(held)
        return self.known[places]


def _places(route: Route, columns: Sequence[str]) -> Iterator[str]:
    for column, values in route.where:
        listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
        yield f"{_quoted(column)} IN ({listed})" if column in columns else "FALSE"


def _joined(batch: Batch) -> list[str]:
    columns = Columns(batch.frame)
    texts: list[list[str]] = [[] for _ in range(len(batch))]
    for _, part in columns.named(KEYWORDS):
        rows = range(len(batch)) if part.rows is None else part.rows.tolist()
        for row, code in zip(rows, part.codes.tolist(), strict=True):
            if code < part.size:
                texts[row].append(part.texts[code])
    return [_GAP.join(one) for one in texts]


def _quoted(name: str) -> str:
    return f"`{name}`"


def _regexp(expression: str, value: Any) -> bool:
    return value is not None and re.search(expression, str(value)) is not None


def found(asked: Asked, batches: Sequence[Batch]) -> set[tuple[str, int, int]]:
    """(rule id, number of the batch, row) of everything that the referee finds."""
    hits: set[tuple[str, int, int]] = set()
    for number, batch in enumerate(batches):
        table = Table(batch)
        for question in asked.questions:
            hits |= {(question.rule, number, row) for row in table.rows(question)}
    return hits
