"""The rules page, the coverage layer, drafts tried on past days, the map of the networks and the one-page view."""

import json
from pathlib import Path

import pytest

from dashboards import zonemap
from dashboards.console import rulebook
from dashboards.console.rulebook import Rulebook
from dashboards.texts import Texts
from hinomi.alert import Alert
from ops.folders import packs_folder
from tests.dashboards.browse import Browser, browser
from tests.dashboards.city import ALERTS, INCIDENTS, City

DRAFT = """title: Draft
title_ja: 下書き
id: 5a1c1d0e-0000-4000-8000-000000000001
status: experimental
logsource: {product: hinomi, service: fortinet.fortigate}
detection:
  failed: {event.action: ssl-login-fail}
  condition: failed
level: low
"""


@pytest.fixture(scope="module")
def visitor(city: City) -> Browser:
    """An analyst's browser with the telework rules in force."""
    return browser(city, "m.kato", rulebook=Rulebook([packs_folder() / "telework"]))


def test_rule_figures_come_from_alerts_and_verdicts(own_city: City) -> None:
    """Two alerts of a rule, one in an incident judged false: shown as 2 and 0 %, with the last hit; its page has the text."""
    book = Rulebook([packs_folder() / "telework"])
    spray = book.correlation("vpn_spray")
    assert spray is not None
    for number, incident in (("a", "inc-4"), ("b", "inc-1")):
        alert: Alert = ALERTS[0].model_copy(
            update={"id": number, "rule_id": str(spray.rule.id), "incident_id": incident}
        )
        own_city.records.put("alert", number, alert.model_dump(mode="json"))
    closed = INCIDENTS[3].model_copy(update={"verdict": "false_positive"})
    own_city.records.put("incident", "inc-4", closed.model_dump(mode="json", warnings=False))
    visitor = browser(own_city, "m.kato", rulebook=book)
    row = visitor.get("/rules?q=vpn_spray").text.split("<tbody>")[1].split("</tr>")[0]
    assert '<td class="figure">2</td><td class="figure">0%</td>' in row
    page = visitor.get("/rules/vpn_spray").text
    assert "value_count" in page
    assert "<dd>VPN サインイン失敗</dd>" in page  # what it watches, in the reader's language
    assert visitor.get("/rules/no-such-rule").status_code == 400


def test_layer_is_a_navigator_layer(visitor: Browser) -> None:
    """Layer format 4.5; a technique of a rule whose logs arrive has a score, and the colours are told."""
    layer = json.loads(visitor.get("/rules/attack-layer.json").text)
    assert layer["versions"]["layer"] == "4.5"
    assert layer["domain"] == "enterprise-attack"
    scores = {one["techniqueID"]: one["score"] for one in layer["techniques"]}
    assert scores["T1110.003"] >= 1


def test_draft_is_tried_on_past_days(visitor: Browser, city: City) -> None:
    """Exactly the events that a search finds, by day, with examples; a draft that is wrong is told, not run."""
    page = visitor.post("/rules/try", draft=DRAFT, days="7").text
    found = city.events.count("event.action: ssl-login-fail", datasets=["fortinet.fortigate"])
    assert f"10 件を調べ、{found} 件が一致します" in page
    assert "<td>2026-11-20</td>" in page  # days are Japan's: it was the 19th in UTC
    assert "remip=203.0.113.66" in page
    wrong = visitor.post("/rules/try", draft="title: x", days="7")
    assert wrong.status_code == 200
    assert 'class="problem"' in wrong.text
    unknown = DRAFT.replace("event.action:", "event.action|like:")
    page = visitor.post("/rules/try", draft=unknown, days="7").text
    line = 2 + unknown.splitlines().index("detection:")
    assert f"{line} 行目: 修飾子「|like」はありません。近いもの: lte、wide。" in page
    sent = DRAFT.replace("\n", "\r\n")  # as browsers send it
    assert f">{DRAFT}</textarea>" in visitor.post("/rules/try", draft=sent, days="7").text
    assert visitor.post("/rules/try", draft="", days="7").status_code == 400
    assert visitor.post("/rules/try", draft=DRAFT, days="4000").status_code == 400
    assert visitor.audited("console.rule_trial")


def test_map_draws_flows_between_zones() -> None:
    """A flow joins two zones with its number; a zone without events has a dashed frame."""
    svg = zonemap.draw({"telework": 5, "lgwan": 3}, {("telework", "lgwan"): 3}, Texts("ja"))
    assert svg.count("<path") == 1
    assert "テレワークからLGWAN接続系へ 3 件" in svg
    assert svg.count("zone-node quiet") == 5


def test_map_is_a_list_where_it_does_not_fit(visitor: Browser) -> None:
    """The same zones, numbers and flows in words, each zone with a way to its logs: what a telephone shows in place of the map."""
    listed = zonemap.listed({"telework": 5, "lgwan": 3}, {("telework", "lgwan"): 3}, Texts("ja"))
    assert [one.name for one in listed if one.events != "記録なし"] == ["テレワーク", "LGWAN接続系"]
    assert [flow for one in listed for flow in one.flows] == ["テレワークからLGWAN接続系へ 3 件"]
    page = visitor.get("/sources").text
    assert page.split('class="map-listed"')[1].count("<a href=") >= len(listed)


def test_rules_are_those_of_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is changed says why an event matched anew, without a restart; what cannot be loaded leaves the one before."""
    monkeypatch.setattr(rulebook, "_EVERY", -1.0)
    path, event = tmp_path / "own.yml", {"event.action": "ssl-login-fail", "event.id": "e1"}
    event["event.dataset"] = "fortinet.fortigate"
    path.write_text(DRAFT, encoding="utf-8")
    book, identity = Rulebook([path]), "5a1c1d0e-0000-4000-8000-000000000001"
    [why] = book.matched(identity, [event])
    assert why is not None and why[0].title == "Draft"
    path.write_text(DRAFT.replace("ssl-login-fail", "tunnel-up"), encoding="utf-8")
    assert book.matched(identity, [event]) == [None]
    path.unlink()
    assert len(book.rules.rules) == 1


def test_summary_speaks_plainly(city: City, visitor: Browser) -> None:
    """What is wrong, what it means for residents, what is being done and what to decide; no field names, no ATT&CK."""
    page = visitor.get("/summary").text
    for words in (
        "重大な事案に対応しています",
        "住民の個人番号を扱う網に関わります",
        "決めていただくこと",
        "見張りの状態",
    ):
        assert words in page
    article = page.split("<article")[1].split("</article>")[0]
    for jargon in ("source.ip", "attack.", "T1110", "SIEM", "IoC"):
        assert jargon not in article
