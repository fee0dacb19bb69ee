"""One part of a service that is refused, gone or unreadable costs nothing of the others, and is told."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from collectors.pulls import findings
from collectors.pulls.streams import PartlyRefused
from hinomi.errors import DependencyDown, Refused
from tests.collectors.pulls.child import at_work, spooled
from tests.collectors.pulls.city import CITIES, SECRET, graph
from tests.collectors.pulls.peers.manners import later
from tests.collectors.pulls.peers.microsoft import Microsoft, no_content
from tests.collectors.pulls.test_pulls import Puller, names, pulling
from tests.responders.peers.served import served

SEVERAL = pytest.mark.parametrize(
    "name", ["google_workspace", "microsoft_graph", "microsoft_m365_audit", "zoom_reports"]
)


def told(puller: Puller) -> list[dict[str, object]]:
    """What was said to be lost."""
    return [json.loads(text) for _, origin, text in spooled(puller.folder) if origin == findings.ORIGIN]


def ago(days: float) -> datetime:
    """So many days before now."""
    return datetime.now(UTC) - timedelta(days=days)


@SEVERAL
def test_a_refused_log_keeps_no_other_back(name: str, tmp_path: Path) -> None:
    """The log that is asked first is not allowed: the next arrives in the same round, and the error names the first."""
    with pulling(name, tmp_path) as (city, puller):
        assert city.elsewhere is not None
        city.happen("e1", 5)
        city.elsewhere("e2", 5)
        city.manners.refused = {city.first}
        with pytest.raises(PartlyRefused, match="403") as refused:
            puller.rounds()
        assert refused.value.ja.count("確かめてください") == 1
        assert names(puller.stored()) == {"e2": 1}
        city.manners.refused = set()
        puller.rounds()
        assert names(puller.stored()) == {"e1": 1, "e2": 1}


def test_a_pull_that_is_partly_refused_is_up(tmp_path: Path) -> None:
    """It goes on by its own rhythm, and says what somebody should look at."""
    with pulling("microsoft_graph", tmp_path) as (city, puller):
        city.manners.refused = {city.first}

        async def main() -> None:
            async with at_work(puller.pull, puller.folder, puller.ledger, puller.health) as rounds:
                running = asyncio.create_task(rounds.run())
                async with asyncio.timeout(30):
                    while not puller.health.errors:
                        await asyncio.sleep(0.01)
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

        asyncio.run(main())
    assert puller.health.errors == {"partly_refused": 1}
    assert puller.health.up and puller.health.problem.startswith("取れない種類があります")
    assert "signIns:" in puller.health.problem and "directoryAudits:" not in puller.health.problem


@SEVERAL
def test_a_log_that_fails_keeps_no_other_back(name: str, tmp_path: Path) -> None:
    """The first log is out of order; two that are, are a service that is down."""
    with pulling(name, tmp_path) as (city, puller):
        assert city.elsewhere is not None
        city.elsewhere("e2", 5)
        city.manners.trouble = [later(503)] * 6
        with pytest.raises(PartlyRefused, match="503"):
            puller.rounds()
        assert names(puller.stored()) == {"e2": 1}
        city.manners.trouble = [later(503)] * 12
        with pytest.raises(DependencyDown):
            puller.rounds()


@SEVERAL
def test_every_log_refused_is_a_refusal(name: str, tmp_path: Path) -> None:
    """Where nothing comes at all, nobody is told that the rest does."""
    with pulling(name, tmp_path) as (city, puller):
        city.manners.refused = {"/"}
        with pytest.raises(Refused) as refused:
            puller.rounds()
        assert not isinstance(refused.value, PartlyRefused)


@pytest.mark.parametrize("name", sorted(CITIES.keys() - {"google_pubsub"}))
@pytest.mark.parametrize("answer", [JSONResponse({}), JSONResponse([{}, "x"]), HTMLResponse("<html>")])
def test_an_answer_of_another_form_moves_no_cursor(
    name: str, answer: JSONResponse | HTMLResponse, tmp_path: Path
) -> None:
    """Without the records it should hold it is no empty answer: what was not read is asked for again."""
    with pulling(name, tmp_path) as (city, puller):
        city.manners.trouble = [answer] * 4
        with pytest.raises(DependencyDown, match="もう一度取りに行きます"):
            puller.rounds()
        assert not (puller.folder / "cursor.json").exists()
        assert puller.slept == []


@contextmanager
def audited(tmp_path: Path, **more: Any) -> Iterator[tuple[Microsoft, Puller]]:
    """Microsoft 365 with two blobs of Exchange's log, e0 and e1, and a pull of it."""
    there = Microsoft(SECRET, datetime.now(UTC), **more)
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    city = CITIES["microsoft_m365_audit"](tmp_path)
    there.blobs["Audit.Exchange"] = [(ago(0.02), [{"Id": "e0"}]), (ago(0.02), [{"Id": "e1"}])]
    with served(there.app(), tmp_path / "tls") as at:
        yield there, Puller(city.pull(at.url, at.ca), tmp_path / "pull")


def test_content_that_is_gone_is_told_and_passed(tmp_path: Path) -> None:
    """A blob that was listed and has expired costs itself alone: counted once, the mark moves."""
    with audited(tmp_path, expired={0}) as (_, puller):
        puller.rounds(2)
        puller.rounds()
    assert names(puller.stored()) == {"e1": 1}
    assert {(one["finding"], one["stream"]) for one in told(puller)} == {("content_gone", "Audit.Exchange")}
    assert {line.reason: n for line, n in puller.ledger.counts.items() if line.what == "dropped"} == {
        "content_gone": 2  # once by each process
    }
    assert len({identity for identity, text in puller.spooled() if "content_gone" in text}) == 1
    assert [note.bad for note in puller.health.notes] == [True, True]


@pytest.mark.parametrize("gone", [no_content("AF20050", 404), Response("", 410)])
def test_content_is_gone_where_the_service_says_so(gone: Response, tmp_path: Path) -> None:
    """By its code, or by a status that says nothing else."""
    with audited(tmp_path, expired={0}, gone=gone) as (_, puller):
        puller.rounds()
    assert [one["finding"] for one in told(puller)] == ["content_gone"]
    assert names(puller.stored()) == {"e1": 1}


@pytest.mark.parametrize("status", [404, 410])
def test_a_proxys_not_found_moves_no_mark_over_content(tmp_path: Path, status: int) -> None:
    """A page of another hand is not the service's word: the blob is still there and comes in the next round."""
    with audited(tmp_path, expired={0}, gone=HTMLResponse("<h1>Not Found</h1>", status)) as (there, puller):
        with pytest.raises(Refused, match=str(status)):
            puller.rounds()
        there.expired = set()
        puller.rounds()
    assert told(puller) == []
    assert names(puller.stored()) == {"e0": 1, "e1": 1}


def test_gone_content_without_an_id_is_told_each(tmp_path: Path) -> None:
    """By its address."""
    with audited(tmp_path, expired={0, 1}, named=False) as (_, puller):
        puller.rounds()
    assert len(told(puller)) == 2
    assert len({identity for identity, text in puller.spooled() if "content_gone" in text}) == 2


def test_time_that_is_not_kept_any_more_is_told(tmp_path: Path) -> None:
    """A tower that was off for nine days lost two of a log that the service keeps for seven."""
    with pulling("microsoft_m365_audit", tmp_path, content=["Audit.Exchange"]) as (city, puller):
        city.happen("e1", 60 * 24 * 3)
        puller.folder.mkdir()
        mark = ago(9).isoformat()
        (puller.folder / "cursor.json").write_text(json.dumps({"Audit.Exchange": mark}), encoding="utf-8")
        puller.rounds(2)
        assert names(puller.stored()) == {"e1": 1}
        (lost,) = told(puller)
        assert (lost["finding"], lost["stream"], lost["first"]) == ("time_not_kept", "Audit.Exchange", mark)
        gone = datetime.fromisoformat(str(lost["last"])) - datetime.fromisoformat(mark)
        assert timedelta(days=2) < gone < timedelta(days=2, minutes=15)
        assert sum(n for line, n in puller.ledger.counts.items() if line.reason == "time_not_kept") == 1


def test_a_stream_of_two_weeks(tmp_path: Path) -> None:
    """Box has events of the last fourteen days: a position that was read twenty days ago has lost six."""
    with pulling("box_events", tmp_path) as (city, puller):
        city.happen("e1", 5)
        puller.folder.mkdir()
        cursor = puller.folder / "cursor.json"
        cursor.write_text(json.dumps({"position": "0", "at": ago(20).isoformat()}), encoding="utf-8")
        puller.rounds(2)
        (lost,) = told(puller)
        assert lost["finding"] == "time_not_kept" and names(puller.stored()) == {"e1": 1}
        cursor.write_text(json.dumps({"position": "1"}), encoding="utf-8")  # of a release before
        puller.rounds()
        assert len(told(puller)) == 1


def test_a_pause_within_what_is_kept_is_no_loss(tmp_path: Path) -> None:
    """Six days off: all of it is read, nothing is told."""
    with pulling("microsoft_m365_audit", tmp_path, content=["Audit.Exchange"]) as (city, puller):
        city.happen("e1", 60 * 24 * 5.5)
        puller.folder.mkdir()
        (puller.folder / "cursor.json").write_text(
            json.dumps({"Audit.Exchange": ago(6).isoformat()}), encoding="utf-8"
        )
        puller.rounds()
        assert names(puller.stored()) == {"e1": 1}
        assert told(puller) == []


def test_sign_ins_of_every_type_and_alerts(tmp_path: Path) -> None:
    """Those of programs come where they are asked for; alerts go to the source that reads them."""
    there = Microsoft(SECRET, datetime.now(UTC))
    now = ago(0.01).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    kinds = ["interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"]
    there.sign_ins = [
        {"id": f"e{n}", "createdDateTime": now, "signInEventTypes": [kind]} for n, kind in enumerate(kinds)
    ]
    there.alerts = [{"id": "e9", "lastUpdateDateTime": now}]
    city = graph(tmp_path)
    logs = ["signIns", *kinds[1:], "alerts_v2"]
    with served(there.app(), tmp_path / "tls") as at:
        puller = Puller(city.pull(at.url, at.ca, logs=logs), tmp_path / "pull")
        puller.rounds()
    assert names(puller.stored()) == {f"e{n}": 1 for n in (0, 1, 2, 3, 9)}
    found = [(origin, text) for _, origin, text in spooled(puller.folder)]
    assert [origin for origin, text in found if '"e9"' in text] == ["saas.defender_xdr"]
