"""One-way transfer: every batch once, and everything that is missing, altered, forged or repeated is told."""

import asyncio
import json
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.transfer import keys
from collectors.transfer.chain import Chain, Turn
from collectors.transfer.drop import Drop
from collectors.transfer.findings import ORIGIN
from collectors.transfer.inbox import Inbox
from collectors.transfer.manifest import Manifest, Sealed, Unfit, sealed
from collectors.transports.health import ListenerHealth
from hinomi.errors import InputError
from ops import sending
from tests.collectors.transfer.gateway import Sender, bring, listener
from tests.collectors.transports.intake import Running, intake

SOON = {"wait": 0.02}  # minutes


def told(running: Running) -> list[tuple[str, int, int]]:
    """Findings so far: kind, first, last."""
    lines = [json.loads(line) for line in running.payloads(ORIGIN)]
    return [(one["finding"], one["first"], one["last"]) for one in lines]


def lines(running: Running) -> list[str]:
    return [line.decode() for line in running.payloads("lgwan")]


def reasons(drop: Path) -> set[str]:
    """Why files were set aside."""
    told = (drop / "quarantine").glob("*.reason.json")
    return {json.loads(one.read_bytes())["reason"] for one in told}


def run(folder: Path, body: Any, keys_: dict[str, Any]) -> None:
    async def main() -> None:
        async with intake(folder / "spool", lgwan=keys_) as running:
            await body(running)

    asyncio.run(main())


def test_renamed_late_and_out_of_order(tmp_path: Path) -> None:
    """Batches shuffled and renamed, manifests after their files: each line once, in the order of the numbers, nothing told."""
    sender, drop, rng = Sender(tmp_path), tmp_path / "drop", random.Random(5)
    made = [sender.send(f"{n} a", f"{n} 火の見", f"{n} c") for n in range(8)]
    data = [file for one in made for file in sender.files(one)[:-1]]
    manifests = [sender.files(one)[-1] for one in made]
    rng.shuffle(data)
    rng.shuffle(manifests)

    async def body(running: Running) -> None:
        bring(drop, *data, rename=rng)
        await asyncio.sleep(1.2)
        assert not running.spooled()
        for manifest in manifests:
            bring(drop, manifest, rename=rng)
            await asyncio.sleep(0.05)
        await running.until_spooled(24)
        assert lines(running) == [f"{n} {word}" for n in range(8) for word in ("a", "火の見", "c")]
        await running.until(lambda: len(list((drop / "done").iterdir())) == 16)
        await running.until(lambda: "8 番" in running.health.listeners["lgwan"].notes[0].ja)
        assert not told(running)

    run(tmp_path, body, listener(drop, sender))


def test_a_gap_is_told_and_closes(tmp_path: Path) -> None:
    """Batch 2 of 4 is held back: told once its time is over, the rest goes on; it is taken when it comes after all."""
    sender, drop = Sender(tmp_path), tmp_path / "drop"
    made = [sender.send(f"line {n}") for n in range(1, 5)]

    async def body(running: Running) -> None:
        for one in (made[0], made[2], made[3]):
            bring(drop, *sender.files(one))
        await running.until(lambda: ("gap", 2, 2) in told(running))
        await running.until(lambda: set(lines(running)) == {"line 1", "line 3", "line 4"})
        health = running.health.listeners["lgwan"]
        await running.until(lambda: any(note.bad and "2" in note.ja for note in health.notes))
        bring(drop, *sender.files(made[1]))
        await running.until(lambda: ("recovered", 2, 2) in told(running))
        assert sorted(lines(running)) == [f"line {n}" for n in range(1, 5)]
        assert len(told(running)) == 2

    run(tmp_path, body, listener(drop, sender, **SOON))


def test_what_fails_is_told_and_set_aside(tmp_path: Path) -> None:
    """An altered file, a changed manifest, an unknown key, another stream, a batch again, two of one number, an orphan."""
    sender, drop = Sender(tmp_path / "a"), tmp_path / "drop"
    stranger = Sender(tmp_path / "b")
    made = [sender.send(f"line {n}") for n in range(1, 4)]

    async def body(running: Running) -> None:
        log, manifest = bring(drop, *sender.files(made[0]))
        log.write_bytes(b"line 1, altered\n")
        (drop / "forged.txt").write_bytes(manifest.read_bytes().replace(b'"sequence":1', b'"sequence":2'))
        (drop / "half.txt").write_bytes(manifest.read_bytes()[:60])
        bring(drop, *stranger.files(stranger.send("from elsewhere")))
        key = keys.private_key(sender.folder / "keys" / keys.PRIVATE)
        empty = {
            "epoch": "0" * 16,
            "sequence": 1,
            "made": "2026-11-20T01:00:00+00:00",
            "previous": "",
            "files": (),
        }
        (drop / "wrong.txt").write_bytes(sealed(Manifest(stream="other", **empty), key)[0])
        kinds = {
            "altered",
            "bad_signature",
            "unreadable_manifest",
            "unknown_key",
            "wrong_stream",
            "no_manifest",
        }
        await running.until(lambda: {one[0] for one in told(running)} >= kinds)
        assert not lines(running)
        bring(drop, *sender.files(made[0])[:-1], *sender.files(made[1]))
        await running.until(lambda: set(lines(running)) == {"line 1", "line 2"})
        await running.until(lambda: len(list((drop / "done").iterdir())) == 4)
        bring(drop, sender.files(made[1])[-1])
        await running.until(lambda: ("repeated", 2, 2) in told(running))
        first = {**empty, "epoch": made[0].epoch}
        (drop / "twin.txt").write_bytes(sealed(Manifest(stream="lgwan", **first), key)[0])
        await running.until(lambda: ("conflicting", 1, 1) in told(running))
        (drop / "loose.txt").write_bytes(
            sealed(Manifest(stream="lgwan", **{**first, "sequence": 3, "previous": "f" * 64}), key)[0]
        )
        await running.until(lambda: ("wrong_chain", 3, 3) in told(running))
        assert len(lines(running)) == 2
        wanted = {"altered", "bad_signature", "unknown_key", "repeated", "conflicting", "wrong_chain"}
        await running.until(lambda: wanted <= reasons(drop))
        await running.until(lambda: running.health.listeners["lgwan"].notes[-1].bad)

    run(tmp_path, body, listener(drop, sender, **SOON))


def test_an_orphan_is_taken_when_its_manifest_comes_after_all(tmp_path: Path) -> None:
    """A file that was set aside for want of a manifest belongs to the batch that names it."""
    sender, drop = Sender(tmp_path), tmp_path / "drop"
    log, manifest = sender.files(sender.send("late manifest"))

    async def body(running: Running) -> None:
        bring(drop, log, rename=random.Random(1))
        await running.until(lambda: [one[0] for one in told(running)] == ["no_manifest"])
        bring(drop, manifest)
        await running.until(lambda: lines(running) == ["late manifest"])
        await running.until(lambda: not list((drop / "quarantine").iterdir()))

    run(tmp_path, body, listener(drop, sender, **SOON))


def test_silence_and_a_sender_that_counts_anew(tmp_path: Path) -> None:
    """No batch within `beat` minutes is told; a batch without lines is one; an epoch that begins anew is told."""
    sender, drop = Sender(tmp_path), tmp_path / "drop"

    async def body(running: Running) -> None:
        bring(drop, *sender.files(sender.send("one")))
        await running.until(lambda: lines(running) == ["one"])
        await running.until(lambda: ("stopped", 0, 1) in told(running))
        empty = sender.box.pack(beat=True)
        assert empty is not None and empty.files == () and empty.sequence == 2
        bring(drop, *sender.files(empty))
        await running.until(lambda: "2 番" in running.health.listeners["lgwan"].notes[0].ja)
        sender.box.close()
        (sender.folder / "state" / "lgwan.json").unlink()
        sender.box = sender.opened()
        bring(drop, *sender.files(sender.send("two")))
        await running.until(lambda: "restarted" in {one[0] for one in told(running)})
        await running.until(lambda: "two" in lines(running))

    run(tmp_path, body, listener(drop, sender, beat=0.05, **SOON))


def test_each_source_is_an_origin_of_its_own(tmp_path: Path) -> None:
    """Lines go under the name that the sender's source has, where the receiver knows it."""
    sender, drop = Sender(tmp_path), tmp_path / "drop"

    async def body(running: Running) -> None:
        bring(drop, *sender.files(sender.send("one")))
        await running.until_spooled(1)
        assert running.payloads("fw") == [b"one"]

    run(tmp_path, body, listener(drop, sender, senders={"fw": {"source": "fortinet.fortigate"}}))


def test_a_killed_sender_packs_every_line_once(tmp_path: Path) -> None:
    """At every step of a batch the sender is stopped and begun anew: no line twice, none missing, no number twice."""
    sender = Sender(tmp_path)
    sender.send("line 0")
    for n, step in enumerate(("write_durably", "sealed", "_load_then", "replace"), start=1):
        with sender.log.open("a") as file:
            file.write(f"line {n}\n")
        with pytest.MonkeyPatch.context() as patch:
            if step == "replace":
                patch.setattr("collectors.transfer.outbox.os.replace", _die)
            else:
                patch.setattr(f"collectors.transfer.outbox.{step}", _die, raising=False)
            if step == "_load_then":
                sender.box.pack()
            else:
                with pytest.raises(KeyboardInterrupt):
                    sender.box.pack()
        sender.box.close()
        sender.box = sender.opened()
        sender.box.pack()
    assert not list((sender.out / ".staging").iterdir())
    texts = [path.read_text() for path in sorted(sender.out.glob("*.log.txt"))]
    assert "".join(texts) == "".join(f"line {n}\n" for n in range(5))
    opened = [
        Sealed.opened(p.read_bytes(), keys.public_keys([sender.public]))
        for p in sorted(sender.out.glob("*.manifest.txt"))
    ]
    assert [one.manifest.sequence for one in opened] == list(range(1, 6))
    assert [one.manifest.previous for one in opened] == ["", *(one.sha256 for one in opened[:-1])]


def _die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


@given(st.binary(max_size=300), st.booleans())
def test_hostile_manifests_are_refused(data: bytes, marked: bool) -> None:
    """Whatever bytes mean to be a manifest: Unfit with a reason, never another exception."""
    with pytest.raises(Unfit):
        Sealed.opened((b'{"hinomi_transfer":' if marked else b"") + data, {})


@given(st.permutations(range(1, 10)), st.sets(st.integers(1, 9)), st.randoms(use_true_random=False))
def test_a_chain_takes_each_number_once_in_any_order(
    order: list[int], patience: set[int], rng: random.Random
) -> None:
    """Any order of arrival, gaps declared at any time: every number is taken once, no gap is left, a twin is refused."""
    before, made = "", {}
    for n in range(1, 10):
        manifest = Manifest(stream="s", epoch="0" * 16, sequence=n, made="", previous=before, files=())
        before = f"{n:064x}"
        made[n] = Sealed(manifest, before)
    chain, waiting, taken = Chain("0" * 16), list[int](), list[int]()
    for n in order:
        waiting.append(n)
        if n in patience and chain.turn(made[min(waiting)]) is Turn.WAIT:
            chain.skip_to(made[min(waiting)], 0.0)
        while due := [m for m in waiting if chain.turn(made[m]) is Turn.TAKE]:
            chain.took(made[due[0]])
            waiting.remove(due[0])
            taken.append(due[0])
        chain = Chain.of(json.loads(json.dumps(chain.as_dict())))
    assert sorted(taken) == list(range(1, 10)) and not chain.gaps and chain.next == 10
    twin = Sealed(made[rng.choice(order)].manifest, "e" * 64)
    with pytest.raises(Unfit, match="conflicting"):
        chain.turn(twin)


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    """The private key's file can be read by nobody else, and is never replaced."""
    private, _ = keys.make(tmp_path)
    assert private.stat().st_mode & 0o077 == 0
    with pytest.raises(Exception, match="上書きしません"):
        keys.make(tmp_path)


def test_the_command_packs_what_is_new(tmp_path: Path) -> None:
    """`hinomi transfer pack`: one batch of the new lines; a second sender of the same record is refused in words."""
    made, _ = keys.make(tmp_path / "keys")
    log = tmp_path / "auth.log"
    log.write_text("one\ntwo\n")
    pack = [
        sys.executable,
        "-m",
        "ops.cli",
        "transfer",
        "pack",
        f"sshd={log}",
        "--stream",
        "lgwan",
        "--beat",
        "1",
    ]
    folders = ["--out", tmp_path / "out", "--key", made, "--state", tmp_path / "state"]
    first = subprocess.run([*pack, *folders], capture_output=True, text=True)
    assert (first.returncode, first.stdout.count("\n")) == (0, 1) and "2 行" in first.stdout
    again = sending.outbox({"sshd": log}, "lgwan", tmp_path / "out", made, tmp_path / "state", 1 << 20)
    with sending.alone(tmp_path / "state"), pytest.raises(InputError, match="別の hinomi transfer pack"):
        sending.run(again, 0, 0)
    with pytest.raises(InputError, match="名前に使えません"):
        sending.outbox({"a b": log}, "lgwan", tmp_path, made, tmp_path, 1 << 20)


def test_a_backlog_costs_by_its_size(tmp_path: Path) -> None:
    """Four times the batches in one round are about four times the calls (counted, not timed), not sixteen times; also
    where as many wait behind a gap, and beside what lies in quarantine."""
    few, many = _calls_for(tmp_path / "few", 30), _calls_for(tmp_path / "many", 120)
    assert many < 6 * few


def _calls_for(folder: Path, batches: int) -> int:
    """Calls of Python functions in a round that takes half of the batches and finds the others behind a gap."""
    sender, drop = Sender(folder), folder / "drop"
    made = [sender.send(f"line {n}") for n in range(batches)]
    bring(drop, *(file for n, one in enumerate(made) if n != batches // 2 for file in sender.files(one)))
    calls = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    async def main() -> None:
        door = _Door()
        keys_ = keys.public_keys([sender.public])
        inbox = Inbox(door, Drop(drop, keys_), folder / "record", "lgwan", 60, 0)  # type: ignore[arg-type]
        for n in range(batches):
            (drop / "quarantine" / f"{n}.txt").write_text("")
            told = json.dumps({"sha256": f"{n}", "reason": "altered"})
            (drop / "quarantine" / f"{n}.txt.reason.json").write_text(told)
        inbox.drop.__post_init__()
        await inbox.open()
        inbox.drop.look(0.0)
        threading.setprofile(counted)
        sys.setprofile(counted)
        try:
            await inbox.round()
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]
        assert door.lines == [f"line {n}".encode() for n in range(batches // 2)]
        assert len(inbox.drop.lying) == 2 * (batches - batches // 2 - 1)

    asyncio.run(main())
    return calls


class _Door:
    """A way into the spool that takes everything."""

    name = "lgwan"
    inlets: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.health = ListenerHealth("lgwan", "transfer")

    async def deliver(self, peer: str, payloads: list[bytes], ids: list[str], origin: str = "") -> bool:
        """Yes."""
        self.lines += payloads
        return True
