"""A run that is under way is stopped from its page by who may undo it; the page says that the rest is not done."""

from hinomi.incident import Incident
from responders.playbooks.run import KIND, Run, RunState
from tests.dashboards.browse import browser
from tests.dashboards.city import City


def _under_way(city: City) -> Run:
    """Incident 1's run, begun."""
    held = city.records.get("incident", "inc-1")
    assert held is not None
    record = city.records.get(KIND, Incident.model_validate(held.body).run_ids[0])
    assert record is not None
    run = Run.model_validate(record.body).model_copy(update={"state": RunState.RUNNING, "dry_run": False})
    city.records.put(KIND, run.id, run.model_dump(mode="json"))
    return run


def test_a_run_under_way_is_stopped_from_its_page(own_city: City) -> None:
    """The approver's page has the button in both languages; an analyst's has none, and sends the form in vain."""
    run = _under_way(own_city)
    analyst, office = browser(own_city, "m.kato"), browser(own_city, "k.mori")
    at = f"/runs/{run.id}/undo"
    assert at not in analyst.get("/incidents/1").text
    assert analyst.post(at, note="別の端末だった").status_code == 403
    page = office.get("/incidents/1").text
    assert at in page and "止めて元に戻す" in page and "まだ行っていない手順は行いません" in page
    assert office.post(at, note="別の端末だった").headers["location"].endswith("done=undo_asked")
    now = own_city.records.get(KIND, run.id)
    assert now is not None and now.body["state"] == "undoing" and now.body["halted"]
    assert "止めて元に戻す" not in office.get("/incidents/1").text
