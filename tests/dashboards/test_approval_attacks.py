"""Attacks on approvals as they arrive: over HTTP, on a real socket, by a hundred requests at once, while the tower goes on.

None acts, and each that names a person is in the audit log. What the desk itself refuses is in
tests/responders/playbooks/test_approval_attacks.py.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from dashboards.console.app import create_app
from dashboards.console.sessions import Sessions
from dashboards.settings import ConsoleSettings
from dashboards.users import Users
from hinomi.clock import FixedClock
from hinomi.errors import Conflict
from hinomi.store import Records
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import ParquetEvents
from responders.playbooks.run import RunState, StepState
from tests import elastic
from tests.responders.city import MANAGER, OFFICES
from tests.responders.peers.served import served
from tests.responders.playbooks.stage import HEAD, Scene, incident, scene, written

KEEP = "  - evidence: {of: [user.name]}\n"
BLOCK = "  - {act: firewall.block_address, value: source.ip}\n"
GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: stops}\n"
STORES = ["embedded", pytest.param("elastic", marks=elastic.ON_ELASTIC)]
BOSSES = [f"boss{n}" for n in range(20)]
ROOM = ConsoleSettings(idle_minutes=24 * 60)
Attack = tuple[dict[str, str], dict[str, str]]
"""The cookies and the form of a request."""


@dataclass
class Console:
    """The console of one city with one plan, on a port of its own."""

    on: Scene
    url: str
    sessions: Sessions
    tokens: dict[str, Attack] = field(default_factory=dict)

    def by(self, name: str, decision: str = "approve", **form: str) -> Attack:
        """A request of somebody who is signed in, with their form token."""
        if name not in self.tokens:
            token, session = self.sessions.start(name)
            self.tokens[name] = {"hinomi_session": token}, {"csrf": session.csrf}
        cookies, own = self.tokens[name]
        return cookies, {**own, "decision": decision, **form}

    def at_once(self, attacks: Sequence[Attack], approval: str = "") -> Counter[int]:
        """All of them in one moment, each over a connection of its own; the answers by status."""
        return asyncio.run(self._at_once(attacks, f"{self.url}/approvals/{approval or self.on.run_id}"))

    async def _at_once(self, attacks: Sequence[Attack], url: str) -> Counter[int]:
        go = asyncio.Event()

        async def send(cookies: dict[str, str], form: dict[str, str]) -> int:
            await go.wait()
            carried = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
            return (await client.post(url, data=form, headers=carried)).status_code

        limits = httpx.Limits(max_connections=len(attacks))
        async with httpx.AsyncClient(timeout=120, limits=limits, verify=False) as client:
            sending = [asyncio.create_task(send(*attack)) for attack in attacks]
            await asyncio.sleep(0)
            go.set()
            return Counter(await asyncio.gather(*sending))

    def audited(self, action: str) -> Counter[tuple[str, str]]:
        """(who, why) of each entry of that action; the chain is whole."""
        found = self.on.runs.records.find("audit", {"action": action}, limit=1000)
        assert self.on.runs.audit.verify() == []
        return Counter((one.body["actor"], one.body["details"].get("why", "")) for one in found)

    @contextmanager
    def tower_goes_on(self) -> Iterator[None]:
        """The respond process looks again and again meanwhile."""
        over = threading.Event()

        def rounds() -> None:
            while not over.is_set():
                with suppress(Conflict):
                    self.on.runs.tick()
                over.wait(0.02)

        tower = threading.Thread(target=rounds)
        tower.start()
        try:
            yield
        finally:
            over.set()
            tower.join(60)


def person(on: Scene, name: str, roles: list[str], *, disabled: bool = False) -> None:
    """An account as the console reads it; nobody signs in with a password here."""
    body = {"name": name, "roles": roles, "disabled": disabled, "password_hash": ""}
    on.runs.records.put("user", name, body)


def _elastic(folder: Path, clock: FixedClock) -> Records:
    client, namespace = elastic.client(), elastic.namespace(folder)
    ElasticEvents(client, namespace).prepare(replicas=0)
    return ElasticRecords(client, namespace, clock=clock)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Callable[..., Console]]:
    """A console over a plan of these steps."""
    with ExitStack() as stack:

        def made(steps: str = KEEP + BLOCK, *, people: int = 1, store: str = "embedded") -> Console:
            own = (lambda clock: _elastic(tmp_path, clock)) if store == "elastic" else None
            on = scene(tmp_path, written(tmp_path, steps, HEAD + f"people: {people}\n"), store=own)
            records = on.runs.records
            for name, roles in OFFICES.items():
                person(on, name, roles)
            records.put("incident", "incident-1", incident([]).model_dump(mode="json"), expect=0)
            events = ParquetEvents(tmp_path / "events", clock=on.clock)
            users = Users(records, on.clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
            app = create_app(events, records, on.desk, ROOM, on.clock, users=users)
            at = stack.enter_context(served(app, tmp_path, tls=False))
            return Console(on, at.url, Sessions(records, on.clock, ROOM.idle, ROOM.longest))

        yield made


@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("store", STORES)
def test_a_hundred_approve_at_once(console: Callable[..., Console], store: str, people: int) -> None:
    """Twenty managers press five times each while the tower looks on: as many count as the plan asks for, by different
    people, the others are told and noted, and the act happens once."""
    at = console(people=people, store=store)
    attacks = [at.by(name, plan=at.on.run.plan_hash) for name in BOSSES * 5]
    with at.tower_goes_on():
        assert at.at_once(attacks) == {303: people, 403: 100 - people}
    at.on.tick()
    held = at.on.runs.records.get("approval", at.on.run_id)
    assert held is not None and len({one["by"] for one in held.body["given"]}) == people
    assert at.on.tick().state is RunState.DONE and len(at.on.stage.acts) == 1
    refused = at.audited("playbook.approved.refused")
    assert refused.total() == 100 - people and {why for _, why in refused} <= {"decided", "twice"}


@pytest.mark.parametrize("store", STORES)
def test_fifty_approve_and_fifty_deny(console: Callable[..., Console], store: str) -> None:
    """One word counts, whichever came first, and the plan follows that one."""
    at = console(store=store)
    attacks = [at.by(BOSSES[n % 20], ("approve", "deny")[n % 2]) for n in range(100)]
    with at.tower_goes_on():
        assert at.at_once(attacks) == {303: 1, 403: 99}
    run = at.on.tick()
    held = at.on.runs.records.get("approval", at.on.run_id)
    assert held is not None
    approved = held.body["state"] == "approved"
    assert run.state is (RunState.DONE if approved else RunState.DENIED)
    assert len(at.on.stage.acts) == approved
    noted = at.audited("playbook.approved.refused") + at.audited("playbook.denied.refused")
    assert noted.total() == 99 and {why for _, why in noted} == {"decided"}


def test_one_request_replayed(console: Callable[..., Console]) -> None:
    """What one manager sent, sent a hundred times: of a plan for two people it is one approval, and nothing acts."""
    at = console(people=2)
    with at.tower_goes_on():
        assert at.at_once([at.by("boss1")] * 100) == {303: 1, 403: 99}
    assert at.on.tick().state is RunState.PROPOSED and at.on.stage.acts == []
    assert at.audited("playbook.approved.refused") == {("boss1", "twice"): 99}


def test_forged(console: Callable[..., Console]) -> None:
    """No session, a made-up one, somebody else's form, another site's, a token of nobody's: none is a decision."""
    at = console()
    cookies, form = at.by("boss1")
    others = at.by("boss2")[1]
    assert at.at_once([({}, form), ({"hinomi_session": "x" * 43}, form)] * 50) == {401: 100}
    forms = [others, {"decision": "approve"}, {**form, "csrf": ""}, {**form, "csrf": form["csrf"][:-1]}]
    assert at.at_once([(cookies, one) for one in forms] * 25) == {403: 100}
    assert at.audited("console.refused") == {("boss1", "form"): 100}
    assert at.on.tick().state is RunState.PROPOSED and at.on.stage.acts == []


@pytest.mark.parametrize(
    ("name", "roles"),
    [("sato", ["analyst"]), ("kansa", ["viewer"]), ("kanri", ["admin"]), ("kensa", ["auditor"])],
)
def test_without_the_right(console: Callable[..., Console], name: str, roles: list[str]) -> None:
    """Whoever holds another role, a hundred times at once: refused, each time with their name in the audit log."""
    at = console()
    person(at.on, name, roles)
    with at.tower_goes_on():
        assert at.at_once([at.by(name)] * 100) == {403: 100}
    assert at.audited("console.refused") == {(name, "role"): 100}
    assert at.on.run.state is RunState.PROPOSED and at.on.stage.acts == []


def test_a_locked_account(console: Callable[..., Console]) -> None:
    """The session of somebody whose account was locked a moment ago is nobody's."""
    at = console()
    attack = at.by("boss1")
    person(at.on, "boss1", MANAGER, disabled=True)
    assert at.at_once([attack] * 20) == {401: 20}
    assert at.on.tick().state is RunState.PROPOSED and at.on.stage.acts == []


@pytest.mark.parametrize("attack", ["self", "expired", "plan_changed", "not_asked", "unknown"])
def test_refused_a_hundred_times(console: Callable[..., Console], attack: str) -> None:
    """The requester's own word, too late, on another plan, before the gate asks, on what was never asked: a hundred times at
    once, each refused with its reason in the audit log, and nothing acts."""
    at = console(KEEP + GATE + BLOCK)
    name = "hinomi" if attack == "self" else "boss1"
    person(at.on, name, MANAGER)
    target = {"not_asked": f"{at.on.run_id}.1", "unknown": "nothing"}.get(attack, at.on.run_id)
    sent = at.by(name, plan="of yesterday" if attack == "plan_changed" else at.on.run.plan_hash)
    if attack == "expired":
        at.on.clock.advance(timedelta(hours=2))
    status = 400 if target != at.on.run_id else 403
    assert at.at_once([sent] * 100, target) == {status: 100}
    why = "not_asked" if status == 400 else attack
    assert at.audited("playbook.approved.refused") == {(name, why): 100}
    run = at.on.tick()
    assert run.state is RunState.PROPOSED and at.on.stage.acts == []
    assert at.on.step("approve").state is StepState.PLANNED
