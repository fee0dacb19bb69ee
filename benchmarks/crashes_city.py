"""kill -9 at every point of every playbook that comes with Hinomi, over the targets of a city: each change once, undo gives back all.

Points are those of `benchmarks.crashes` (before and after each write of a record, after each act and undo) and, in the middle of an
act, before and after each request that changes a target. Real targets: OpenLDAP, a switch and a router behind OpenSSH, Unbound or
BIND, Squid, nginx, nftables; the vendors' clouds and firewalls as local servers written from their documents, in a process of their
own. Each point is a run of its own. At its end every target is as it was, bit by bit, and what was sent to change a target while
acting is what an undisturbed run sends, each once; but for what is done again on purpose (`AGAIN`). Plans are put to these targets
before they are approved, so that acts which search touch what was shown. What no undo gives back (a password, a session) is left
out of the comparison.

usage: python -m benchmarks.crashes_city [every so many points, from this one on] [playbook …]
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.crashes import ADAPTER, acting, prepared, staged
from responders.connectors.actions import ACTIONS
from responders.connectors.catalogue import Targets, target_of
from responders.playbooks.foretold import Patience
from responders.playbooks.playbook import Playbook
from responders.playbooks.run import RunState, StepState
from tests.responders.peers import clouds, real, vendors
from tests.responders.playbooks.dying import OnDisk, Point, carried, counting, killed
from tests.responders.playbooks.stage import ENTITIES, Scene
from tests.responders.playbooks.touching import Sent, Touching, sent
from tests.responders.slapd import ADMINS, BASE, PRIVILEGED, ROBOT, ROBOT_PASSWORD, directory

PRODUCTS = {
    "directory": "ldap",
    "cloud_directory": "entra_graph",
    "google_workspace": "google_directory",
    "mail": "graph_mail",
    "firewall": "fortigate",
    "host_firewall": "nftables",
    "endpoint": "crowdstrike",
    "dns": "unbound",
    "proxy": "squid",
    "switch": "cisco_ios",
    "router": "yamaha_rtx",
    "web": "maintenance_page",
}
"""What a playbook's target is, unless OTHERS says otherwise."""
OTHERS = {
    "account_takeover_m365": {"mail": "entra_graph"},
    "ddos": {"firewall": "panos"},
    "inner_segment_intrusion": {"endpoint": "wazuh", "switch": "allied_telesis", "router": "cisco_ios"},
    "insider_export": {"switch": "yamaha_switch"},
    "phishing_campaign": {"dns": "bind"},
    "ransomware": {"endpoint": "sentinelone"},
    "supplier_incident": {"firewall": "panos"},
}
_SERVERS = {
    "unbound": real.unbound,
    "bind": real.bind,
    "squid": real.squid,
    "nftables": real.nftables,
    "maintenance_page": partial(real.notice_page, site=ENTITIES["url.domain"][0]),
}
AGAIN = ("reload", "reconfigure", "active-response", "userPassword", "revokeSignInSessions", "/signOut")
"""Done once more after a crash in between, on purpose: a server that may not have read its file, a script of which nobody tells
whether it ran, a password or sign-out that may have been another's doing."""
SEARCHED = ("mail.purge", "mail.remove_rules", "firewall.end_vpn_session", "directory.remove_from_groups")
"""What is done to what was found, and shown, before the approval."""
_PASSWORD = ("userPassword:", "pwdChangedTime:", "pwdHistory:")
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class City:
    """A playbook's targets, running. fresh: what no undo gives back is there again."""

    connectors: Targets
    states: dict[str, Callable[[], str]]
    fresh: Callable[[], None]

    def state(self) -> dict[str, str]:
        """Of each target."""
        return {name: state() for name, state in self.states.items()}


def products(playbook: Playbook) -> dict[str, str]:
    """Which product is each target of a playbook; a target that no product serves (cloud storage) is not there."""
    chosen = {**PRODUCTS, **OTHERS.get(playbook.playbook, {})}
    named = {target_of(step.act, step.target or "") for step in playbook.acts if step.act}
    return {name: chosen[name] for name in sorted(named) if name in chosen}


@contextmanager
def city(folder: Path, playbook: Playbook) -> Iterator[City]:
    """Each target of the playbook, in programs of their own."""
    os.environ |= {"HINOMI_LDAP": ROBOT_PASSWORD, "S": clouds.SECRET, "KEY": vendors.key_file()}
    with ExitStack() as stack:
        cloud = stack.enter_context(vendors.running(folder / "vendors"))
        found = {
            name: _target(stack, folder / name, product, cloud)
            for name, product in products(playbook).items()
        }
        sections = {name: ADAPTER.validate_python(one.section) for name, one in found.items()}
        yield City(Targets(sections), {name: one.state for name, one in found.items()}, cloud.fresh)


def _target(stack: ExitStack, folder: Path, product: str, cloud: vendors.Vendors) -> real.Target:
    if product in cloud.where:
        return real.Target(cloud.section(product), lambda: cloud.state(product))
    if product == "ldap":
        return _ldap(stack, folder)
    if product in real.PORTS:
        return stack.enter_context(real.device(folder, product))
    return stack.enter_context(_SERVERS[product](folder))


def _ldap(stack: ExitStack, folder: Path) -> real.Target:
    ldap = stack.enter_context(directory(folder, PRIVILEGED))
    section = {"kind": "ldap", "url": ldap.url, "base": BASE, "bind_dn": ROBOT, "method": "ppolicy"}
    section |= {"password": "env:HINOMI_LDAP", "privileged_groups": [ADMINS]}

    def state() -> str:
        return "\n".join(line for line in ldap.whole().splitlines() if not line.startswith(_PASSWORD))

    return real.Target(section, state)


def every_point(folder: Path, playbook: Playbook, points: Iterable[int]) -> tuple[int, list[str]]:
    """(points tried, what was wrong) for a playbook over the targets of a city; over once a point is beyond the last one."""
    folder.mkdir(parents=True)
    with city(folder / "targets", playbook) as there:
        prepared(start := _made(folder / "start"), playbook, lambda on: _shown(on, there, start / "clock"))
        usual, was, wrong, tried = Sent(), there.state(), list[str](), 0
        for at in (0, *points):
            place = folder / str(at)
            shutil.copytree(start, place)
            there.fresh()

            def life(point: Point, place: Path = place) -> None:
                _live(place, playbook, there, point)

            if died := killed(life, at):
                tried += 1
                killed(life, 0)
            usual = usual or sent(place / "sent")
            now, told = there.state(), sent(place / "sent")
            wrong += [f"{playbook.playbook} at {at}: {one}" for one in _wrong(place, playbook, usual, told)]
            wrong += [
                f"{playbook.playbook} at {at}: {name} is not as it was"
                for name in now
                if now[name] != was[name]
            ]
            shutil.rmtree(place)
            if at and not died:
                break
    return tried, wrong


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _shown(on: Scene, there: City, clock: Path) -> None:
    """The plan put anew, to the targets that it has by now: what they find is what people approve."""
    on.runs.patience = Patience(60)  # however long a loaded machine takes
    connectors = lambda action, at: there.connectors(action, at) or on.stage  # noqa: E731
    on.runs.world = replace(on.runs.world, connectors=connectors)
    on.tick(61)
    clock.write_text(on.clock.now().isoformat())
    searched = [step for step in on.run.acts if step.act in SEARCHED]
    assert all(step.extent for step in searched), [step.act for step in searched if not step.extent]


def _live(place: Path, playbook: Playbook, there: City, point: Point) -> None:
    """From where the last life ended to the end, and back."""
    stage = OnDisk(log=place / "changes", point=point)
    stage.load()
    on = staged(place, playbook, stage)
    touching = Touching(lambda action, at: there.connectors(action, at) or stage, place / "sent", point)
    touching.install()
    on.runs.world = replace(on.runs.world, connectors=touching)
    counting(on.runs.records, point)  # type: ignore[arg-type]
    carried(on, playbook, place / "clock")


def _wrong(place: Path, playbook: Playbook, usual: Sent, told: Sent) -> Iterator[str]:
    """What is not as it should be in the records, and in what was sent."""
    on = staged(place, playbook)
    run = on.run
    if run.state not in (RunState.DONE, RunState.UNDONE):
        yield f"it ended {run.state}: {run.journal[-3:]}"
    if failed := [step.act for step in run.acts if step.state is StepState.FAILED]:
        yield f"failed: {failed}"
    if standing := [
        s.act for s in run.acts if s.can_undo and ACTIONS[s.act].undoable and s.state is StepState.DONE
    ]:
        yield f"not undone: {standing}"
    if problems := on.runs.audit.verify():
        yield f"audit: {problems[0].en}"
    on.runs.records.close()
    for key in {key for key in usual + told if key[0] == "act"}:
        more = 1 if any(word in key[2] for word in AGAIN) else 0
        if not usual[key] <= told[key] <= usual[key] + more:
            yield f"sent {told[key]} times, not {usual[key]}: {key[1:]}"


def main(step: int = 1, first: int = 1, *names: str) -> bool:
    """Measure; True when nothing was wrong."""
    began, wrong, points = time.monotonic(), list[str](), 0
    with tempfile.TemporaryDirectory(prefix="hinomi-crashes-") as place:
        for name, playbook in acting().items():
            if names and name not in names:
                continue
            at = time.monotonic()
            tried, found = every_point(Path(place) / name, playbook, range(first, _MOST, step))
            points, wrong = points + tried, wrong + found
            if found:
                print(json.dumps(found, ensure_ascii=False, indent=1), flush=True)
            over = ", ".join(products(playbook).values())
            seconds = time.monotonic() - at
            print(
                f"{name} ({over}): kill -9 at {tried} points, {len(found)} wrong, {seconds:.0f} s", flush=True
            )
    print("something is wrong, see above" if wrong else "nothing wrong")
    print(f"kill -9 at {points} points, {len(wrong)} wrong, {time.monotonic() - began:.0f} s")
    return not wrong


if __name__ == "__main__":
    every, start_at = [*[int(text) for text in sys.argv[1:] if text.isdigit()], 1, 1][:2]
    sys.exit(0 if main(every, start_at, *[text for text in sys.argv[1:] if not text.isdigit()]) else 1)
