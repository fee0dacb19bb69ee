"""The streaming Sigma engine: rules compiled once, matched column by column.

    rules = load([Path("rules/packs")], cache=Path("…/cache"))
    matches = rules.match(batch)
    frame = rules.signals(batch, matches)

`parse` and `translate` read rules through pySigma into `expression`; `logsource` says where a rule's
events are; `compile` makes `program`; `scans` finds its atoms over `columns` with Hyperscan; `match`
evaluates what is left; `signals` writes what was found.
"""

from rules.engine.load import load, rule_files
from rules.engine.ruleset import Correlation, Matches, Other, Problem, Rule, RuleSet

__all__ = ["Correlation", "Matches", "Other", "Problem", "Rule", "RuleSet", "load", "rule_files"]
