"""kill -9 on the responder at chance moments of a playbook over five real targets (OpenLDAP, nftables, Squid, Unbound, a
switch behind OpenSSH): resumed each time; at the end every target is as wanted, once, and undo gives back every byte.

usage: python -m benchmarks.crashes [rounds]
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hinomi.clock import FixedClock
from hinomi.store.embedded import SqliteRecords
from responders.audit import Audit
from responders.connectors.catalogue import Target as Section
from responders.connectors.catalogue import Targets
from responders.connectors.protocol import Done
from responders.playbooks.playbook import load
from responders.playbooks.run import KIND, Run, RunState, RunStep
from responders.playbooks.runs import Runs
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.world import World
from tests.responders.city import NIGHT
from tests.responders.peers import real
from tests.responders.playbooks.stage import HEAD, scene, written
from tests.responders.slapd import BASE, ROBOT, ROBOT_PASSWORD, directory
from tests.responders.test_real_targets import STEPS

ADAPTER: TypeAdapter[Any] = TypeAdapter(Section)


def _kept(run: Run, step: RunStep) -> Done:
    return Done("保全しました。", "kept")


def responder(folder: Path, start: int) -> None:
    """The process that is killed: rounds until the run is over. start: minutes, so that pauses after a fault end."""
    clock = FixedClock(NIGHT + timedelta(minutes=start))
    records = SqliteRecords(folder / "records.sqlite", clock=clock)
    sections = json.loads((folder / "targets.json").read_text())
    own = Targets({name: ADAPTER.validate_python(one) for name, one in sections.items()})
    playbook = load(folder / "tried.yml")
    settings = PlaybookSettings.model_validate({"armed": ["tried"], "an_hour": {}})
    world = World(own, _kept, _kept, _kept)
    runs = Runs(records, clock, Audit(records, clock), settings, {"tried": playbook}, world)
    for _ in range(20):
        runs.tick()
        [held] = records.find(KIND)
        if held.body["state"] in ("done", "failed", "undone"):
            return
        clock.advance(timedelta(minutes=1))


def _child(folder: Path, start: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "benchmarks.crashes", "child", str(folder), str(start)])


def _round(folder: Path, targets: dict[str, real.Target], chance: random.Random) -> tuple[int, bool]:
    """(kills, whether all was well)."""
    was = {name: one.state() for name, one in targets.items()}
    on = scene(folder, written(folder, STEPS, HEAD))
    on.approve()
    sections = {name: one.section for name, one in targets.items()}
    (folder / "targets.json").write_text(json.dumps(sections))
    kills, start = 0, 1
    while on.run.state in (RunState.PROPOSED, RunState.RUNNING) and start < 200:
        process = _child(folder, start)
        start += 21
        try:
            process.wait(3.5 + chance.random() * 3 if kills < 4 else 120)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    good = on.run.state is RunState.DONE and all(one.state() != was[name] for name, one in targets.items())
    on.clock.advance(timedelta(minutes=start))
    on.desk.undo(on.run_id, actor="suzuki", roles=["information_system_manager"], note="戻す")
    _child(folder, start).wait(120)
    back = {name: one.state() for name, one in targets.items()} == was
    return kills, good and back and on.runs.audit.verify() == []


def main(rounds: int = 5) -> bool:
    """Measure; True when no round was bad."""
    os.environ["HINOMI_LDAP"] = ROBOT_PASSWORD
    chance, started, kills, bad = random.Random(11), time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="hinomi-crashes-") as name, ExitStack() as stack:
        place = Path(name)
        targets = {
            "host_firewall": stack.enter_context(real.nftables(place / "nft")),
            "proxy": stack.enter_context(real.squid(place / "squid")),
            "dns": stack.enter_context(real.unbound(place / "unbound")),
            "switch": stack.enter_context(real.device(place / "switch")),
        }
        ldap = stack.enter_context(directory(place / "ldap"))
        section = {"kind": "ldap", "url": ldap.url, "base": BASE, "bind_dn": ROBOT, "method": "ppolicy"}
        section["password"] = "env:HINOMI_LDAP"
        targets["directory"] = real.Target(section, lambda: str(ldap.locked("t.yamada")))
        for number in range(rounds):
            folder = place / str(number)
            folder.mkdir()
            died, good = _round(folder, targets, chance)
            kills, bad = kills + died, bad + (not good)
    took = time.monotonic() - started
    print(f"{rounds} rounds over five real targets, {kills} times kill -9, {bad} bad, {took:.0f} s")
    return bad == 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        responder(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(0 if main(*(int(text) for text in sys.argv[1:2])) else 1)
