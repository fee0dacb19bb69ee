"""Any product's Common Event Format (CEF), read by the dictionary of the format.

Source: ArcSight, "Implementing ArcSight Common Event Format", version 26: the extension dictionary, whose
short and long names are both in use. Custom fields come under their labels: `cs1=x cs1Label=Policy` is
`cef.Policy`.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import cef
from collectors.source import Raw, Source

# Short name → long name; logs have either.
_LONG = {
    "src": "sourceAddress",
    "dst": "destinationAddress",
    "spt": "sourcePort",
    "dpt": "destinationPort",
    "smac": "sourceMacAddress",
    "dmac": "destinationMacAddress",
    "shost": "sourceHostName",
    "dhost": "destinationHostName",
    "suser": "sourceUserName",
    "duser": "destinationUserName",
    "suid": "sourceUserId",
    "duid": "destinationUserId",
    "sntdom": "sourceNtDomain",
    "dntdom": "destinationNtDomain",
    "sproc": "sourceProcessName",
    "proto": "transportProtocol",
    "app": "applicationProtocol",
    "act": "deviceAction",
    "outcome": "categoryOutcome",
    "fname": "fileName",
    "fsize": "fileSize",
    "request": "requestUrl",
    "dvchost": "deviceHostName",
    "in": "bytesIn",
    "out": "bytesOut",
    "rt": "deviceReceiptTime",
    "start": "startTime",
    "end": "endTime",
}

source = Source(
    name="generic.cef",
    title={"ja": "CEF 形式(汎用)", "en": "Common Event Format (any product)"},
    shape=cef(),
    recognise=r"CEF:\s?\d+\|(?:[^|\\]|\\.)*\|",
    leftovers="cef",
    ignore=(
        *_LONG,
        *_LONG.values(),
        "dvc",
        "reason",
        "cef.severity",
        "dtz",
        "fileHash",
        "filePath",
        "requestMethod",
    ),
    rename={
        "cef.vendor": "observer.vendor",
        "cef.product": "observer.product",
        "cef.version": "observer.version",
        "cef.class": "rule.id",
        "cef.name": "rule.name",
        "msg": "message",
        "deviceExternalId": "observer.serial_number",
        "deviceInboundInterface": "observer.ingress.interface.name",
        "deviceOutboundInterface": "observer.egress.interface.name",
        "spid": "process.pid",
    },
)
_TIMES = ("%b %d %Y %H:%M:%S%.f", "%b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Y", "%b %d %Y %H:%M:%S %Z")
_UNIVERSAL = r"\b(?:UTC|GMT|Z)\b|Etc/"
_SEVERITIES = {"low": 3, "medium": 6, "high": 8, "very-high": 10}  # the highest number of each word


def _of(raw: Raw, short: str) -> pl.Expr:
    return e.present(e.first(raw[short], raw[_LONG[short]]) if short in _LONG else raw[short])


@source.derive
def identity(raw: Raw) -> dict[str, pl.Expr]:
    """Time, outcome, kind."""
    zone = e.first(raw["dtz"], raw["deviceTimeZone"])
    times = [part for name in ("rt", "start", "end") for part in _times(_of(raw, name), zone)]
    level = raw["cef.severity"].str.to_lowercase()
    said = _of(raw, "outcome").str.to_lowercase()
    outcome = pl.when(said.str.contains("fail|den|refus|error")).then(pl.lit("failure"))
    return {
        "@timestamp": e.time_or(*times, pl.col("header.timestamp")),
        "event.kind": pl.lit("event"),
        "event.code": raw["cef.class"],
        "event.severity": e.first(e.whole(level), level.replace_strict(_SEVERITIES, default=None)),
        "event.action": e.first(_of(raw, "act"), raw["reason"]),
        "event.outcome": outcome.when(said.str.contains("succ|allow|ok|perm")).then(pl.lit("success")),
        "event.reason": e.present(raw["reason"]),
    }


def _times(text: pl.Expr, zone: pl.Expr) -> list[pl.Expr]:
    """Milliseconds since 1970, or a written date in the zone that it or `dtz` names, else the city's."""
    count = e.whole(text)
    sane = pl.when(count.is_between(10**11, 9 * 10**12)).then(count)
    seconds = pl.when(count.is_between(10**8, 10**10)).then(count * 1000)
    epoch = (
        pl.from_epoch(pl.coalesce(sane, seconds), "ms")
        .dt.replace_time_zone("UTC")
        .cast(pl.Datetime("ns", "UTC"))
    )
    tight = text.str.replace_all(r"\s+", " ").str.replace(r" (?:UTC|GMT|JST)\b", "")
    written = pl.coalesce(tight.str.to_datetime(form, time_unit="us", strict=False) for form in _TIMES)
    universal = text.str.contains(_UNIVERSAL) | (~text.str.contains("JST") & zone.str.contains(_UNIVERSAL))
    utc = pl.when(universal.fill_null(False)).then(written.dt.replace_time_zone("UTC"))
    return [epoch, utc.otherwise(e.local(written))]


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends and the device."""
    columns: dict[str, pl.Expr] = {}
    for name, s in (("source", "s"), ("destination", "d")):
        address = _of(raw, "src" if s == "s" else "dst")
        columns |= {
            f"{name}.ip": e.ip(address),
            f"{name}.domain": e.first(_of(raw, f"{s}host"), e.not_ip(address)),
            f"{name}.port": _of(raw, f"{s}pt"),
            f"{name}.mac": _of(raw, f"{s}mac"),
            f"{name}.user.name": _of(raw, f"{s}user"),
            f"{name}.user.domain": _of(raw, f"{s}ntdom"),
            f"{name}.user.id": _of(raw, f"{s}uid"),
        }
    domain, account = e.domain_user(e.first(_of(raw, "suser"), _of(raw, "duser")))
    long = {"source.nat.ip": "sourceTranslatedAddress", "destination.nat.ip": "destinationTranslatedAddress"}
    return columns | {
        "user.name": account,
        "user.domain": e.first(domain, _of(raw, "sntdom"), _of(raw, "dntdom")),
        "source.nat.port": raw["sourceTranslatedPort"],
        "destination.nat.port": raw["destinationTranslatedPort"],
        **{field: e.ip(raw[key]) for field, key in long.items()},
        "host.name": e.first(_of(raw, "dvchost"), _of(raw, "shost")),
        "observer.ip": e.ip(raw["dvc"]),
    }


@source.derive
def content(raw: Raw) -> dict[str, pl.Expr]:
    """Protocol, file, request."""
    proto = _of(raw, "proto")
    quoted = e.present(_of(raw, "request").str.strip_chars('"'))
    ways = {"0": "inbound", "1": "outbound"}
    local = e.url_columns(quoted)
    path = e.first(local["url.path"], quoted.str.extract(r"^[A-Za-z]:([\\/].*)"))
    return {
        **local,
        "url.path": path,
        "network.transport": e.first(e.transport(proto), e.not_ip(proto).str.to_lowercase()),
        "network.protocol": _of(raw, "app").str.to_lowercase(),
        "network.direction": e.mapped(raw["deviceDirection"], ways),
        "source.bytes": _of(raw, "out"),
        "destination.bytes": _of(raw, "in"),
        "file.name": e.first(_of(raw, "fname"), e.present(raw["filePath"]).str.extract(r"([^\\/]+)$")),
        "file.path": e.present(raw["filePath"]),
        "file.size": _of(raw, "fsize"),
        **_hashes(e.present(raw["fileHash"]).str.to_lowercase()),
        "http.request.method": e.present(raw["requestMethod"]),
        "user_agent.original": e.present(raw["requestClientApplication"]),
        "process.name": e.first(e.present(raw["deviceProcessName"]), _of(raw, "sproc")),
    }


def _hashes(digest: pl.Expr) -> dict[str, pl.Expr]:
    """A digest under the name of its kind, which its length tells."""
    sizes = {"md5": 32, "sha1": 40, "sha256": 64}
    return {
        f"file.hash.{kind}": pl.when(digest.str.contains(rf"^[0-9a-f]{{{size}}}$")).then(digest)
        for kind, size in sizes.items()
    }


_MOST_LABELS = 500
"""Labels of one field that become columns in a batch, the commonest first: a sender may invent any number."""


@source.refine
def labelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Custom fields under their labels, each line's under its own."""
    for label in sorted(name for name in frame.columns if name.startswith("cef.") and name.endswith("Label")):
        field = label.removesuffix("Label")
        if field in frame.columns:
            frame = _under_labels(frame, field, label)
    return frame


def _under_labels(frame: pl.DataFrame, field: str, label: str) -> pl.DataFrame:
    """The frame with a field's values under the names that the label column gives; where a line has such a name already,
    field and label stay."""
    value = pl.col(field)
    columns: dict[str, pl.Expr] = {}
    moved = [pl.lit(False)]
    for target, texts in _targets(frame[label]).items():
        if target in ("cef.", field, label):
            continue
        given = pl.col(target) if target in frame.columns else e.nothing()
        here = (pl.col(label).is_in(texts) & value.is_not_null() & given.is_null()).fill_null(False)
        columns[target] = pl.when(here).then(value).otherwise(given)
        moved.append(here)
    left = {name: pl.when(~pl.any_horizontal(moved)).then(pl.col(name)) for name in (field, label)}
    done = frame.with_columns(expr.alias(name) for name, expr in {**columns, **left}.items())
    return done.drop(name for name in left if done[name].null_count() == done.height)


def _targets(labels: pl.Series) -> dict[str, list[str]]:
    """Column → the labels that mean it, of the commonest labels."""
    counts = labels.drop_nulls().rename("label").value_counts(name="count")
    found: dict[str, list[str]] = {}
    for text in counts.sort("count", "label", descending=[True, False])["label"].head(_MOST_LABELS):
        found.setdefault(_name_of(text), []).append(text)
    return found


def _name_of(label: str) -> str:
    return "cef." + "".join(part for part in label.title() if part.isalnum())[:40]
