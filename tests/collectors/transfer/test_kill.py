"""kill -9 of a receiver, again and again, while shuffled and renamed batches come: every line is stored once."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.spool import Reader
from collectors.transfer.findings import ORIGIN
from tests.collectors.transfer.gateway import Sender, bring, listener

KILLS, BATCHES, LINES = 3, 24, 50
RECEIVER = """
import asyncio, json, sys
from pathlib import Path
from collectors.spool import Spool
from collectors.transports import serve
from hinomi.ledger import Ledger
from tests.collectors.transports.intake import listening

async def main():
    spool = Spool(Path(sys.argv[1]), max_bytes=1 << 30)
    stop = asyncio.Event()
    await serve({"lgwan": listening(json.loads(sys.argv[2]))}, spool, Ledger(), ready=lambda _: print("up", flush=True), stop=stop)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_killed_receiver_takes_every_batch_once(tmp_path: Path) -> None:
    """Three kills among twenty-four batches: all identities once (the store takes a repeated one once), nothing told."""
    sender, drop, rng = Sender(tmp_path), tmp_path / "drop", random.Random(7)
    made = [sender.send(*(f"{n}.{i}" for i in range(LINES))) for n in range(BATCHES)]
    files = [file for one in made for file in sender.files(one)]
    rng.shuffle(files)
    share = len(files) // (KILLS + 1) + 1
    settings = json.dumps(listener(drop, sender))
    for kill in range(KILLS + 1):
        receiver = subprocess.Popen(
            [sys.executable, "-c", RECEIVER, str(tmp_path / "spool"), settings],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == b"up\n"
        bring(drop, *files[kill * share : (kill + 1) * share], rename=rng)
        if kill < KILLS:
            time.sleep(0.9 + rng.random() * 0.4)
        else:
            _until(lambda: len(list((drop / "done").iterdir())) == len(files))
        receiver.kill()
        receiver.wait()
        receiver.stdout.close()
    rows = _spooled(tmp_path / "spool")
    assert not [row for row in rows if row[0] == ORIGIN]
    assert {text for _, _, text in rows} == {f"{n}.{i}" for n in range(BATCHES) for i in range(LINES)}
    by_identity = {identity: text for _, identity, text in rows}
    assert len(by_identity) == BATCHES * LINES
    assert all(by_identity[identity] == text for _, identity, text in rows)


def _spooled(spool: Path) -> list[tuple[str, str, str]]:
    reader, after, rows = Reader(spool / "lane-0"), None, list[tuple[str, str, str]]()
    while block := reader.read(after):
        after = block.after
        frame = block.frame
        rows += zip(
            frame["origin"], frame["event.id"], (one.decode() for one in frame["payload"]), strict=True
        )
    return rows


def _until(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
