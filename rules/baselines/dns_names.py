"""Names that no person thought of: data carried in labels (tunnel), or domains made up by a program (generated).

tunnel: below one domain, in a day, many different names whose labels are long and evenly mixed (Shannon entropy).
generated: in a day, many different domains whose own label looks drawn by lot: few vowels, digits between letters, long
runs of consonants, high entropy; a score from 0 to 1, said in the finding.

Options: looks_for (tunnel), at_least (60 names, or 25 domains), entropy (3.3 bits a sign), length (24 signs), score (0.6),
memory_mb (32).
"""

from collections import Counter
from functools import lru_cache
from math import log2
from typing import Any

from hinomi.errors import ContentError, Where
from rules.baselines.baseline import Baseline, Declared, Finding
from rules.baselines.recent import Recent
from rules.entry import Entry

_MOST = 400
_EVIDENCE = 200
_OF_NAME = 400  # bytes of a name's place, measured
_NO_FIELDS = "{}"

Met = tuple[float, int, str, str, str]
"""What a name counts for; time (ns), event, rule and dataset of the event that asked for it last."""
_SECOND_LEVEL = frozenset({"co", "ne", "or", "go", "ac", "ed", "lg", "gr", "ad", "com", "net", "org"})


class Type(Baseline):
    """Keeps, for a day, the names of each entity below each domain, or its domains that look made up."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.looks_for = declared.text("looks_for", "tunnel")
        if self.looks_for not in ("tunnel", "generated"):
            raise ContentError(
                f"「{self.looks_for}」ではなく tunnel か generated と書いてください。",
                f'looks_for is tunnel or generated, not "{self.looks_for}"',
                where=Where(declared.path, None, "baseline.looks_for"),
            )
        self.at_least = int(declared.number("at_least", 60 if self.looks_for == "tunnel" else 25))
        self.entropy, self.length = declared.number("entropy", 3.3), declared.number("length", 24)
        self.score = declared.number("score", 0.6)
        self.names: Recent[dict[str, Met]] = Recent(dict, _weight, room=self.room)
        self.full = 0

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the name on with which there are too many."""
        name = (entry.value("dns.question.name") or "").rstrip(".").lower()
        labels, domain = split(name)
        if not domain:
            return []
        who, day = self.person(entry), self.day(entry)
        if self.looks_for == "tunnel":
            return self._tunnel(entry, who, day, labels, domain)
        return self._generated(entry, who, day, domain)

    def _tunnel(self, entry: Entry, who: str, day: str, labels: str, domain: str) -> list[Finding]:
        plain = labels.replace(".", "")
        if len(plain) < self.length or entropy(plain) < self.entropy:
            return []
        held = self._kept(f"{who}|{domain}|{day}", entry, labels, float(len(plain)))
        if len(held) < self.at_least:
            return []
        carried = sum(met[0] for met in held.values())
        return [
            Finding(
                key=f"{who}|{domain}|{day}",
                entries=_events(held, entry),
                ja=f"「{domain}」の下に、長く無作為な名前 {len(held):,} 種類(約 {carried:,.0f} 文字分)",
                en=f'{len(held):,} long random names below "{domain}" (about {carried:,.0f} signs)',
                fields={self.entity: who, "dns.question.registered_domain": domain},
            )
        ]

    def _generated(self, entry: Entry, who: str, day: str, domain: str) -> list[Finding]:
        value = made_up(domain.split(".")[0])
        if value < self.score:
            return []
        held = self._kept(f"{who}|{day}", entry, domain, value)
        if len(held) < self.at_least:
            return []
        mean = sum(met[0] for met in held.values()) / len(held)
        some = ", ".join(list(held)[:3])
        return [
            Finding(
                key=f"{who}|{day}",
                entries=_events(held, entry),
                ja=f"機械が作ったような名前のドメイン {len(held):,} 個(平均の点数 {mean:.2f}、例 {some})",
                en=f"{len(held):,} domains that look made up (mean score {mean:.2f}, such as {some})",
                fields={self.entity: who},
            )
        ]

    def _kept(self, key: str, entry: Entry, name: str, value: float) -> dict[str, Met]:
        held = self.names.of(key, self.newest)
        known = name in held
        if not known and len(held) >= _MOST:
            self.full += 1
            return held
        held[name] = value, entry.time, entry.event, entry.rule, entry.dataset
        if not known:
            self.names.grew(key, _OF_NAME + len(name))
        return held

    def take_forgotten(self) -> int:
        """Days given up; names beyond those kept of a day (it stands out already)."""
        full, self.full = self.full, 0
        return full + self.names.take_lost()

    def dump(self) -> Any:
        """Names by entity, domain and day."""
        return self.names.dump(dict)

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.names.load(state, lambda body: {name: _met(met) for name, met in body.items()})


def _weight(held: dict[str, Met]) -> int:
    return sum(_OF_NAME + len(name) for name in held)


def _met(held: Any) -> Met:
    """As it was kept; states before knew the value alone."""
    if isinstance(held, (list, tuple)):
        value, time, event, rule, dataset = held
        return value, time, event, rule, dataset
    return float(held), 0, "", "", ""


def _events(held: dict[str, Met], entry: Entry) -> list[Entry]:
    """The latest events that asked for these names, each once."""
    known = {met[2]: met for met in held.values() if met[2] and met[2] != entry.event}
    some = sorted(known.values(), key=lambda met: met[1])[-(_EVIDENCE - 1) :]
    return [*(Entry(*met[1:], raw=_NO_FIELDS) for met in some), entry]


def split(name: str) -> tuple[str, str]:
    """(what stands before, registered domain) of a name; ("", "") where it has none."""
    labels = name.split(".")
    if len(labels) < 2:
        return "", ""
    n = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[:-n]), ".".join(labels[-n:])


@lru_cache(maxsize=50_000)
def entropy(text: str) -> float:
    """Bits a sign."""
    n = len(text)
    return -sum(count / n * log2(count / n) for count in Counter(text).values()) if n else 0.0


@lru_cache(maxsize=50_000)
def made_up(label: str) -> float:
    """How much a label looks drawn by lot, 0 to 1: its entropy, vowels, longest run without one, digits inside."""
    if len(label) < 8 or label.startswith("xn--"):
        return 0.0
    vowels = sum(sign in "aeiouy" for sign in label) / len(label)
    run = max(len(part) for part in "".join(" " if sign in "aeiouy-" else sign for sign in label).split(" "))
    digits = sum(sign.isdigit() for sign in label) / len(label)
    mixed = min(entropy(label) / 3.6, 1.0)
    return min(
        1.0,
        0.35 * mixed
        + 0.3 * max(0.0, 1 - vowels / 0.38)
        + 0.25 * min(run / 6, 1.0)
        + 0.2 * min(digits * 3, 1.0),
    )
