"""Hinomi beside rsigma (Rust) on the same JSON lines and the same rules, one core each, in one run.

Events: the attack-sample event logs as flat JSON lines (as NXLog writes them), repeated with users, hosts, ids and
command lines that differ. rsigma is given product, service and category with each event for its log-source routing;
Hinomi works its routing out from channel and event id. Each is a whole process, pinned to one core, then free to use
both; what it takes to start and load the rules (a run over one event) is taken off. Prints events per processor second
of each and the ratio, by the clock beside it; then whole processes of Hinomi alone, start included: one worker beside two over the
same lines, and what the EVTX folder costs `hinomi hunt` with one worker, two, and as many as it chooses itself.

rsigma comes from crates.io: `cargo install rsigma --version 0.23.0 --locked --root ~/.cache/hinomi/rsigma`
(`make bench-engine` does that).
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import evtx

from benchmarks._corpora import DATA, corpus
from benchmarks._rusage import Cost, run

RULES = DATA / "sigma" / "rules" / "windows"
RSIGMA = Path.home() / ".cache" / "hinomi" / "rsigma" / "bin" / "rsigma"
COPIES, ROUNDS = 30, 3
_SYSMON = {
    1: "process_creation",
    2: "file_change",
    3: "network_connection",
    5: "process_termination",
    6: "driver_load",
    7: "image_load",
    8: "create_remote_thread",
    9: "raw_access_thread",
    10: "process_access",
    11: "file_event",
    12: "registry_event",
    13: "registry_set",
    14: "registry_event",
    15: "create_stream_hash",
    17: "pipe_created",
    18: "pipe_created",
    19: "wmi_event",
    20: "wmi_event",
    21: "wmi_event",
    22: "dns_query",
    23: "file_delete",
    26: "file_delete",
}
_SERVICES = {
    "Security": "security",
    "System": "system",
    "Application": "application",
    "Windows PowerShell": "powershell-classic",
    "Microsoft-Windows-PowerShell/Operational": "powershell",
    "Microsoft-Windows-Sysmon/Operational": "sysmon",
    "Microsoft-Windows-TaskScheduler/Operational": "taskscheduler",
    "Microsoft-Windows-WMI-Activity/Operational": "wmi",
    "Microsoft-Windows-Bits-Client/Operational": "bits-client",
}
_VARIED = (
    "CommandLine",
    "ParentCommandLine",
    "ScriptBlockText",
    "TargetFilename",
    "TargetObject",
    "Details",
)


def main() -> None:
    """Print both and the ratio; exits with 1 where rsigma is not installed."""
    rival = shutil.which("rsigma") or (str(RSIGMA) if RSIGMA.exists() else "")
    if not rival:
        print(
            "rsigma is not installed; see the first lines of benchmarks/rival.py",
            file=sys.stderr,
        )
        sys.exit(1)
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder) / "one.jsonl", Path(folder) / "many.jsonl"
        n = _write(one, many)
        print(f"{n:,} events, {many.stat().st_size >> 20} MiB, rules of {RULES}")
        ours = [
            sys.executable,
            "-m",
            "ops.cli",
            "hunt",
            "--rules",
            str(RULES),
            "--jsonl",
        ]
        theirs = [
            rival,
            "--output-format",
            "ndjson",
            "engine",
            "eval",
            "-r",
            str(RULES),
            "-q",
            "--logsource-routing",
        ]
        run([*ours, str(one)])  # the compiled rules are kept from here on, as in service
        for cores in (1, 2):
            _compare([*ours], [*theirs], one, many, n, cores)
        _workers(ours, many)
    _workers(ours, corpus("evtx"))


def _workers(ours: list[str], what: Path) -> None:
    """Whole processes on both cores, in turn; memory is that of the largest process."""
    kinds = {
        "one worker": ["--workers", "1"],
        "two": ["--workers", "2"],
        "its own choice": [],
    }
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, said in kinds.items():
            costs[kind].append(run([*ours, *said, str(what)], cores=2))
    first = min(cost.wall for cost in costs["one worker"])
    for kind, each in costs.items():
        cpu, wall = min(cost.cpu for cost in each), min(cost.wall for cost in each)
        memory = max(cost.memory for cost in each)
        print(
            f"{what.name}, 2 cores, {kind}: {wall:.2f} s by the clock ({first / wall:.2f} times as fast), {cpu:.2f} s of "
            f"processor, {memory:.0f} MiB a process"
        )


def _compare(ours: list[str], theirs: list[str], one: Path, many: Path, n: int, cores: int) -> None:
    ratios = []
    for _ in range(ROUNDS):
        a = _net(run([*ours, str(many)], cores=cores), run([*ours, str(one)], cores=cores))
        b = _net(
            run([*theirs, "-e", f"@{many}"], cores=cores),
            run([*theirs, "-e", f"@{one}"], cores=cores),
        )
        ratios.append((b.cpu / a.cpu, b.wall / a.wall))
        print(
            f"{cores} core(s): hinomi {n / a.cpu:9,.0f} events/s of processor ({a.memory:.0f} MiB)   "
            f"rsigma {n / b.cpu:9,.0f} ({b.memory:.0f} MiB)   ratio {ratios[-1][0]:5.2f}, by the clock {ratios[-1][1]:5.2f}"
        )
    by_cpu, by_clock = (sorted(kind)[ROUNDS // 2] for kind in zip(*ratios, strict=True))
    print(f"{cores} core(s): median ratio {by_cpu:.2f}, by the clock {by_clock:.2f} (aim 2.00)")


def _net(whole: Cost, start: Cost) -> Cost:
    return Cost(whole.cpu - start.cpu, whole.wall - start.wall, whole.memory)


def _write(one: Path, many: Path) -> int:
    events = [_flat(json.loads(line)["Event"]) for line in _lines()]
    one.write_text(json.dumps(events[0]) + "\n", encoding="utf-8")
    with many.open("w", encoding="utf-8") as file:
        for copy in range(COPIES):
            for number, event in enumerate(events):
                file.write(json.dumps(_varied(event, copy, number), ensure_ascii=False) + "\n")
    return len(events) * COPIES


def _lines() -> Iterator[str]:
    for path in sorted(corpus("evtx").rglob("*.evtx")):
        for record in evtx.PyEvtxParser(str(path)).records_json():
            yield record["data"]


def _flat(event: dict[str, object]) -> dict[str, object]:
    """As NXLog's im_msvistalog writes it to JSON, with the hints that rsigma asks for."""
    system = event["System"]
    assert isinstance(system, dict)
    number = system["EventID"]
    number = number.get("#text") if isinstance(number, dict) else number
    channel = str(system["Channel"] or "")
    flat: dict[str, object] = {
        "EventTime": system["TimeCreated"]["#attributes"]["SystemTime"],
        "Hostname": system["Computer"],
        "EventID": number,
        "Channel": channel,
        "SourceName": system["Provider"]["#attributes"].get("Name"),
        "Provider_Name": system["Provider"]["#attributes"].get("Name"),
        "Computer": system["Computer"],
        "product": "windows",
        "service": _SERVICES.get(channel, channel.lower()),
    }
    if channel.startswith("Microsoft-Windows-Sysmon") and (category := _SYSMON.get(int(str(number)))):
        flat["category"] = category
    elif channel.startswith("Microsoft-Windows-PowerShell") and str(number) in {
        "4103",
        "4104",
    }:
        flat["category"] = "ps_module" if str(number) == "4103" else "ps_script"
    elif str(number) == "4688" and channel == "Security":
        flat["category"] = "process_creation"
    for part in ("EventData", "UserData"):
        data = event.get(part)
        for name, value in data.items() if isinstance(data, dict) else ():
            if isinstance(value, (str, int, float)) and name not in flat:
                flat[name] = value
    return flat


def _varied(event: dict[str, object], copy: int, number: int) -> dict[str, object]:
    tag, changed = f" {copy * 100_000 + number}", dict(event)
    changed["Computer"] = changed["Hostname"] = f"{event['Computer']}-{copy}"
    for name, value in event.items():
        if name in _VARIED or name.endswith(("ProcessGuid", "UtcTime", "LogonId")):
            changed[name] = f"{value}{tag}"
        elif name.endswith("ProcessId"):
            changed[name] = f"{value}{copy}"
    return changed


if __name__ == "__main__":
    main()
