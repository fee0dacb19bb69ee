"""What a query of the cluster finds is what the rule in force matches."""

from pathlib import Path

from ops.inside import confirmed
from tests.rules.engine import rulebook


def test_what_an_exception_leaves_out_is_no_finding_of_a_query(tmp_path: Path) -> None:
    """The cluster is asked for the rule's text; what it finds is confirmed by the rule in force."""
    own = rulebook.rule({"s": {"f": "x"}, "condition": "s"})
    left_out = {
        "title": "Not him",
        "logsource": {"product": "any"},
        "filter": {"rules": [own["id"]], "s": {"user.name": "w.kato"}, "condition": "not s"},
    }
    loaded = rulebook.rules(tmp_path, own, left_out)
    batch = rulebook.batch([{"f": "x", "user.name": name} for name in ("w.kato", "t.yamada")])
    assert confirmed(loaded, loaded.rules[0], batch).frame["user.name"].to_list() == ["t.yamada"]
    none = rulebook.batch([{"f": "y"}])
    assert len(confirmed(loaded, loaded.rules[0], none)) == 0
