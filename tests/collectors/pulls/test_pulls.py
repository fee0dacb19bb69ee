"""Pulling from SaaS: nothing missed, nothing doubled, patient, and its tokens stay where they belong."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import JSONResponse

from collectors import catalogue
from collectors.pulls import ApiPull, Pull, kinds
from collectors.pulls.run import Rounds
from collectors.spool import Spool
from collectors.transports.health import ListenerHealth
from collectors.transports.inlet import Held, Inlet
from hinomi.clock import SystemClock
from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.ledger import Ledger
from tests.collectors.pulls.child import at_work, spooled
from tests.collectors.pulls.city import CITIES, PUBLIC, SECRET, City, okta
from tests.collectors.pulls.peers.google import Google
from tests.collectors.pulls.peers.manners import later
from tests.collectors.pulls.peers.others import Zoom
from tests.responders.peers.served import served

EVERY = pytest.mark.parametrize("name", sorted(CITIES))


@dataclass(slots=True)
class Puller:
    """A pull with a spool; each `rounds` is a process of its own that remembers only what is on disk."""

    pull: Pull
    folder: Path
    slept: list[float] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    health: ListenerHealth = field(default_factory=lambda: ListenerHealth("saas", "test"))

    def rounds(self, number: int = 1) -> None:
        """So many rounds, one after the other."""
        asyncio.run(self._rounds(number))

    async def _rounds(self, number: int) -> None:
        async with at_work(self.pull, self.folder, self.ledger, self.health, self._sleep) as own:
            for _ in range(number):
                await own.once()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def spooled(self) -> list[tuple[str, str]]:
        """Event id and text of everything that was spooled, in order."""
        return [(identity, text) for identity, _, text in spooled(self.folder)]

    def stored(self) -> list[str]:
        """As the store would keep it: each event id once."""
        return sorted(dict(self.spooled()).values())


@contextmanager
def pulling(name: str, folder: Path, **more: object) -> Iterator[tuple[City, Puller]]:
    """A service with its server, and a puller of it."""
    city = CITIES[name](folder)
    with served(city.app, folder / "tls") as there:
        yield city, Puller(city.pull(there.url, there.ca, **more), folder / "pull")


def names(texts: list[str]) -> Counter[str]:
    """How often each event occurs in these texts."""
    return Counter(name for text in texts for name in (f"e{n}" for n in range(20)) if f'"{name}"' in text)


def test_every_kind_is_tested() -> None:
    """A new kind needs a server that behaves as its vendor's documents tell; queues have tests of their own."""
    assert set(CITIES) == {name for name, kind in kinds().items() if issubclass(kind, ApiPull)}
    assert {kind.model_fields["source"].default for kind in kinds().values()} <= {
        "auto",
        *catalogue.sources(),
    }


@EVERY
def test_every_event_once_also_late_ones(name: str, tmp_path: Path) -> None:
    """All pages of the first round; later only what is new, also where it is older than the last round's end."""
    with pulling(name, tmp_path) as (city, puller):
        for n in range(5):
            city.happen(f"e{n}", 300 - n)
        puller.rounds()
        assert names(puller.stored()) == {f"e{n}": 1 for n in range(5)}
        city.happen("e6", 3)  # before the end of the last round
        puller.rounds(2)
        assert names(puller.stored()) == {f"e{n}": 1 for n in (0, 1, 2, 3, 4, 6)}
        assert all(json.loads(text) for text in puller.stored())


@EVERY
def test_one_process_spools_an_event_once(name: str, tmp_path: Path) -> None:
    """What an overlap or the service gives again takes no room on disk, and is counted."""
    with pulling(name, tmp_path) as (city, puller):
        for n in range(5):
            city.happen(f"e{n}", 10 - n)
        puller.rounds(3)
        assert names([text for _, text in puller.spooled()]) == {f"e{n}": 1 for n in range(5)}


@EVERY
def test_patient_with_a_service_in_trouble(name: str, tmp_path: Path) -> None:
    """429, 503 and a token that ends amid the pages delay what comes, and lose nothing."""
    with pulling(name, tmp_path) as (city, puller):
        for n in range(5):
            city.happen(f"e{n}", 10 - n)
        city.manners.tokens_last = 3
        city.manners.trouble = [later(429, **{"Retry-After": "7"}), later(503)]
        puller.rounds()
        assert names(puller.stored()) == {f"e{n}": 1 for n in range(5)}
        assert puller.slept[0] == 7
        if not city.manners.fixed:
            assert city.manners.signed > 1


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"Retry-After": "Thu, 19 Nov 2099 12:00:00 GMT"}, 900),
        ({"Retry-After": "Thu, 19 Nov 2099 12:00:00 -0000"}, 900),
        ({"Retry-After": f"Thu, 19 Nov {'9' * 20} 12:00:00 GMT"}, 1),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "4097000000"}, 900),
        ({"X-Rate-Limit-Reset": "inf"}, 1),
        ({}, 1),
    ],
)
def test_how_long_a_service_is_left_alone(tmp_path: Path, headers: dict[str, str], slept: int) -> None:
    """As its answer says, a quarter of an hour at most; what says nothing, or nonsense, is a second."""
    with pulling("okta_system_log", tmp_path) as (city, puller):
        city.manners.trouble = [later(429, **headers)]
        puller.rounds()
        assert puller.slept[0] == slept


@EVERY
def test_a_round_that_breaks_off_is_made_good(name: str, tmp_path: Path) -> None:
    """A refusal amid the pages ends the round; the next, in a new process, has every event, and none under two ids."""
    with pulling(name, tmp_path) as (city, puller):
        for n in range(6):
            city.happen(f"e{n}", 10 - n)
        refused = 0
        while _refused_after(refused + 1, city, puller):
            refused += 1
        assert refused >= 2
        assert names(puller.stored()) == {f"e{n}": 1 for n in range(6)}


def _refused_after(answers: int, city: City, puller: Puller) -> bool:
    city.manners.refuse_after = answers
    try:
        puller.rounds()
    except Refused:
        return True
    return False


@EVERY
def test_a_wrong_secret_is_said_without_it(name: str, tmp_path: Path) -> None:
    """The message tells what to check, and shows neither the secret nor a stack trace."""
    with pulling(name, tmp_path) as (city, puller):
        for path in tmp_path.iterdir():
            if path.name in {"secret", "token"}:
                path.write_text("wr0ng-secret", encoding="utf-8")
        if (tmp_path / "key.json").exists():
            key = json.loads((tmp_path / "key.json").read_text(encoding="utf-8"))
            key["private_key"] = json.loads(_other_key())["private_key"]
            (tmp_path / "key.json").write_text(json.dumps(key), encoding="utf-8")
        with pytest.raises(Refused) as refused:
            puller.rounds()
        assert "確かめてください" in refused.value.ja
        assert "wr0ng" not in str(refused.value)
        assert not puller.spooled()
        assert city.manners.signed == 0


def _other_key() -> str:
    from tests.collectors.pulls.peers.manners import service_account

    return service_account()[0]


def test_a_secret_that_was_replaced_takes_effect(tmp_path: Path) -> None:
    """Secrets are read when they are used: no restart after a rotation."""
    with pulling("okta_system_log", tmp_path) as (city, puller):
        city.happen("e1", 5)
        city.manners.fixed = "okta-token-2"
        with pytest.raises(HinomiError):
            puller.rounds()
        (tmp_path / "token").write_text("okta-token-2", encoding="utf-8")
        puller.rounds()
        assert names(puller.stored()) == {"e1": 1}


def test_a_dead_service_is_given_up_for_this_round(tmp_path: Path) -> None:
    """After six tries, ever further apart; the message names host and reason."""
    with pulling("okta_system_log", tmp_path) as (city, puller):
        city.manners.trouble = [later(503)] * 6
        with pytest.raises(DependencyDown, match="503"):
            puller.rounds()
        assert puller.slept == [1, 2, 4, 8, 16, 32]


def test_tokens_do_not_leave_their_host(tmp_path: Path) -> None:
    """A next page on another server (or on plain HTTP) is not followed: it would get the token."""
    for link in ("https://evil.example/api/v1/logs", "http://127.0.0.1/x"):
        folder = tmp_path / str(len(link))
        folder.mkdir()
        with pulling("okta_system_log", folder) as (city, puller):
            city.manners.trouble = [JSONResponse([{"uuid": "e1"}], headers={"Link": f'<{link}>; rel="next"'})]
            with pytest.raises(Refused, match="別のサーバー"):
                puller.rounds()
            assert len(city.manners.asked) == 1


def test_pubsub_acknowledges_only_what_is_spooled(tmp_path: Path) -> None:
    """A message whose spooling failed stays on the subscription."""
    with pulling("google_pubsub", tmp_path) as (city, puller):
        city.happen("e1", 5)
        with pytest.raises(RuntimeError, match="no disk"):
            asyncio.run(_broken(puller))
        assert not any("acknowledge" in asked for asked in city.manners.asked)
        puller.rounds()
        assert names(puller.stored()) == {"e1": 1}
        assert sum("acknowledge" in asked for asked in city.manners.asked) == 1


def test_a_quiet_subscription_is_not_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service holds a pull open while there is no message, longer than any other answer may take: one question, no
    error; and where nothing comes in all that time there is nothing."""
    there = Google(PUBLIC, holds=0.6)
    monkeypatch.setattr("collectors.pulls.client._TIMEOUT", httpx.Timeout(0.3))
    pull = CITIES["google_pubsub"](tmp_path)
    with served(there.app(), tmp_path / "tls") as at:
        puller = Puller(pull.pull(at.url, at.ca), tmp_path / "pull")
        puller.rounds()
        monkeypatch.setattr("collectors.pulls.google_pubsub._HELD", 0.1)
        puller.rounds()
    assert len(there.manners.asked) == 2
    assert puller.slept == []


def test_twins_without_an_identity_count_twice(tmp_path: Path) -> None:
    """Two equal records of one second are two: on one page, on two, in the next round and by the next process."""
    there = Zoom(SECRET)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    first, second = ({"time": now, "operator": name} for name in ("e1", "e2"))
    there.operations = [first, first, second]  # two a page
    city = CITIES["zoom_reports"](tmp_path)
    with served(there.app(), tmp_path / "tls") as at:
        puller = Puller(city.pull(at.url, at.ca), tmp_path / "pull")
        puller.rounds(2)
        puller.rounds()
        assert names(puller.stored()) == {"e1": 2, "e2": 1}
        there.operations += [second, second]
        puller.rounds()
        assert names(puller.stored()) == {"e1": 2, "e2": 3}


async def _broken(puller: Puller) -> None:
    class NoDisk(Inlet):
        async def deliver(self, *given: object, **more: object) -> object:  # type: ignore[override]
            raise RuntimeError("no disk")

    spool = Spool(puller.folder, max_bytes=1 << 30)
    inlet = NoDisk("saas", spool, puller.ledger, puller.health, Held())
    try:
        await Rounds(
            puller.pull,
            dict.fromkeys(puller.pull.origins("saas"), inlet),
            puller.folder / "cursor.json",
            SystemClock(),
        ).once()
    finally:
        await spool.close()


def test_settings_refuse_passwords_in_addresses(tmp_path: Path) -> None:
    """A proxy's password is a secret by reference, never part of a URL in the file."""
    with pytest.raises(ValueError, match="proxy"):
        okta(tmp_path).pull("https://city.okta.com", tmp_path, proxy="http://user:pass@proxy:8080")
    with pytest.raises(ValueError, match="url"):
        okta(tmp_path).pull("city.okta.com", tmp_path)
