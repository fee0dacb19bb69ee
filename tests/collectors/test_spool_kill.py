"""kill -9 of a process that writes the spool: every acknowledged entry is there, once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from collectors.spool import Reader

KILLS = 12
WRITER = """
import asyncio, os, sys
from pathlib import Path
from collectors.spool import Entries, Spool

async def client(spool, name):
    n = 0
    while True:
        texts = [f"{name}:{n + i}" for i in range(1 + n % 7)]
        await spool.append(Entries("fw", "192.0.2.1", n, [text.encode() for text in texts]))
        os.write(1, ("\\n".join(texts) + "\\n").encode())
        n += len(texts)

async def main():
    spool = Spool(Path(sys.argv[1]), max_bytes=1 << 30)
    await asyncio.gather(*(client(spool, f"{sys.argv[2]}.{k}") for k in range(8)))

asyncio.run(main())
"""


def test_acknowledged_entries_survive_kill_9_once(tmp_path: Path) -> None:
    """Twelve killed writers, a reader going on between them: nothing acknowledged is missing or doubled."""
    rng = random.Random(11)
    reader, after = Reader(tmp_path / "spool" / "lane-0"), None
    acknowledged: list[str] = []
    found: list[str] = []
    ids: list[str] = []
    for kill in range(KILLS):
        out = tmp_path / f"{kill}.txt"
        with out.open("wb") as file:
            command = [sys.executable, "-c", WRITER, str(tmp_path / "spool"), str(kill)]
            writer = subprocess.Popen(command, stdout=file, cwd=Path(__file__).parents[2], env={**os.environ})
        deadline = time.monotonic() + 60
        while not out.stat().st_size:
            assert time.monotonic() < deadline
            assert writer.poll() is None
            time.sleep(0.01)
        time.sleep(rng.random() * 0.2)
        writer.send_signal(signal.SIGKILL)
        writer.wait(30)
        acknowledged += out.read_text().splitlines()
        while block := reader.read(after, max_rows=500):
            after = block.after
            found += [raw.decode() for raw in block.frame["payload"].to_list()]
            ids += block.frame["event.id"].to_list()
        assert after is not None
        reader.trim(after)
    assert len(acknowledged) > KILLS * 8
    assert len(found) == len(set(found)) == len(set(ids))
    assert set(acknowledged) <= set(found)
