"""Boards: what each shows, once. The console draws them itself; `dashboards.kibana` makes Kibana objects of the same lines."""

from dataclasses import dataclass
from typing import Literal

from dashboards import clouds
from hinomi.words import Words
from rules import vpn


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. over_time: counts over time, split by the field where there is one; top: its most frequent values."""

    key: str
    title: Words
    kind: Literal["over_time", "top"]
    query: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """Pictures that belong together, over one query."""

    key: str
    title: Words
    query: str
    panels: tuple[Panel, ...]
    columns: tuple[str, ...]

    def asked(self, panel: Panel) -> str:
        """What a panel asks, within its board."""
        parts = [part for part in (self.query, panel.query) if part]
        return " and ".join(f"({part})" for part in parts)


def _over(key: str, ja: str, en: str, query: str = "", field: str = "") -> Panel:
    return Panel(key, Words(ja, en), "over_time", query, field)


def _top(key: str, ja: str, en: str, field: str, query: str = "") -> Panel:
    return Panel(key, Words(ja, en), "top", query, field)


# what the telework report counts: the same records of the same 16 sources
_CONNECTED, _REFUSED = (f"({vpn.asked(service)})" for service in ("connected", "refused"))
_WHO = ("user.name", "source.ip", "host.name", "event.action", "event.outcome")
BOARDS = (
    Board(
        "lan",
        Words("庁内LAN", "LAN"),
        "event.category: network",
        (
            _over("traffic", "通信の件数", "Traffic"),
            _top("from", "送信元の網", "Source segments", "source.zone"),
            _top("to", "宛先の網", "Destination segments", "destination.zone"),
            _top(
                "refused",
                "拒否された送信元",
                "Refused sources",
                "source.ip",
                "event.outcome: failure or event.type: denied",
            ),
        ),
        (
            "source.ip",
            "destination.ip",
            "destination.port",
            "event.action",
            "source.zone",
            "destination.zone",
        ),
    ),
    Board(
        "telework",
        Words("テレワーク", "Telework"),
        f"{_CONNECTED} or {_REFUSED}",
        (
            _over("signins", "接続と拒否の件数", "Connections and refusals", field="event.dataset"),
            _top("countries", "接続元の国", "Countries", "source.geo.country_iso_code", _CONNECTED),
            _top("failing", "拒否の多い利用者", "Users refused", "user.name", _REFUSED),
            _top("addresses", "拒否の多い送信元", "Sources refused", "source.ip", _REFUSED),
        ),
        _WHO,
    ),
    Board(
        "saas",
        Words("クラウドサービス", "SaaS"),
        clouds.QUERY,
        (
            _over("acts", "操作の件数", "Operations", field="event.dataset"),
            _top("actions", "多い操作", "Operations", "event.action"),
            _top("people", "操作の多い利用者", "Users", "user.name"),
            _top("files", "多く扱われたファイル", "Files", "file.name"),
        ),
        (*_WHO, "file.name"),
    ),
    Board(
        "city",
        Words("業務システム", "City systems"),
        "event.dataset: city.*",
        (
            _over("acts", "操作の件数", "Operations", field="event.dataset"),
            _top("people", "操作の多い利用者", "Users", "user.name"),
            _top("actions", "多い操作", "Operations", "event.action"),
        ),
        _WHO,
    ),
    Board(
        "response",
        Words("検知と対応", "Detection and response"),
        "event.dataset: hinomi.signal",
        (
            _over("signals", "検知の件数", "Signals", field="hinomi.signal.level"),
            _top("rules", "多いルール", "Rules", "rule.name"),
            _top("levels", "深刻度", "Levels", "hinomi.signal.level"),
        ),
        ("rule.name", "hinomi.signal.level", "hinomi.signal.event_dataset"),
    ),
    Board(
        "compliance",
        Words("記録の取得", "Logging"),
        "",
        (
            _over("all", "届いた記録", "Events", field="event.dataset"),
            _top("datasets", "種類ごとの件数", "Datasets", "event.dataset"),
            _top(
                "unread", "読めなかった理由", "Not read", "error.message", "event.dataset: hinomi.dead_letter"
            ),
        ),
        ("event.dataset", "event.action", "error.message"),
    ),
)
