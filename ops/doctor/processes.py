"""Is each process of the tower alive and ready?"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient
from ops.rundir import alive

_START = Words("hinomi up で起動してください。", "start it with hinomi up")
_LOG = Words("hinomi up の記録を見てください。", "look at the log of hinomi up")
_AGAIN = Words("少し待って、もう一度実行してください。", "wait a little and run this again")
_PATIENCE = 120.0
"""Seconds that a process may take to be ready: rules are compiled once, on a busy machine."""


def processes(patient: Patient) -> Iterator[Check]:
    """The supervisor and each of its children."""
    said = patient.run.read("supervisor")
    if not said or not alive(int(said["pid"])):
        yield Part("プロセス", "processes").warn(
            "hinomi up は動いていません。", "hinomi up is not running", _START
        )
        return
    for child in said["children"]:
        name, restarts = child["name"], child["restarts"]
        part = Part(f"プロセス {name}", f"process {name}")
        ja, en = f"(再起動 {restarts} 回)。", f", restarted {restarts} times"
        lives = bool(child["pid"]) and alive(int(child["pid"]))
        ready = lives and patient.run.read(name).get("ready")
        if lives and not ready and _begins(child):
            yield part.warn("起動しているところです。", "is starting", _AGAIN)
        elif not ready:
            yield part.bad(f"動いていません{ja}", f"is not running{en}", _LOG)
        elif restarts:
            yield part.warn(f"動いています{ja}", f"runs{en}")
        else:
            yield part.good(f"動いています{ja}", f"runs{en}")


def _begins(child: Mapping[str, Any]) -> bool:
    """Started for the first time, and not long ago."""
    return not child["restarts"] and time.monotonic() - float(child.get("started", 0)) < _PATIENCE
