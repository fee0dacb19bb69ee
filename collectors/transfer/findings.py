"""What a receiver tells about batches that are missing or not as they were sent, as lines of `hinomi.transfer`.

They go the way of any log, through the spool into the store, where rules of the pack `own` make alerts of them. So
they outlive a crash, are told once, and can be searched.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from hinomi.identity import digest
from hinomi.words import Words

ORIGIN = "hinomi.transfer"

SAID = {
    "gap": Words("{first}〜{last} 番の束が届いていません。", "batches {first} to {last} did not come"),
    "incomplete": Words(
        "{first} 番の束のファイルがそろいません: {file}", "files of batch {first} are missing: {file}"
    ),
    "no_manifest": Words("目録(manifest)のないファイルです: {file}", "a file without a manifest: {file}"),
    "stopped": Words(
        "新しい束が届かなくなりました(最後は {last} 番)。", "no new batch comes; the last was {last}"
    ),
    "restarted": Words(
        "送り側が番号を数え直し始めました(送信の記録が失われたか、別の機械です)。",
        "the sender began to count anew: its record was lost, or it is another machine",
    ),
    "recovered": Words("遅れて {first} 番の束が届きました。", "batch {first} came late"),
    "bad_signature": Words("署名が合いません: {file}", "the signature does not hold: {file}"),
    "unknown_key": Words("知らない鍵で署名されています: {file}", "signed by an unknown key: {file}"),
    "unreadable_manifest": Words("目録を読めません: {file}", "the manifest cannot be read: {file}"),
    "wrong_stream": Words("別の経路の束です: {file}", "a batch of another stream: {file}"),
    "altered": Words("内容が目録と違います(途中で変えられました): {file}", "altered on the way: {file}"),
    "repeated": Words("{first} 番の束がもう一度届きました: {file}", "batch {first} came again: {file}"),
    "conflicting": Words(
        "{first} 番として、内容の違う二つの束が署名されています: {file}",
        "two different batches are signed as number {first}: {file}",
    ),
    "wrong_chain": Words(
        "{first} 番の束が、前の束とつながりません: {file}",
        "batch {first} does not follow the one before: {file}",
    ),
    "too_large": Words("大きすぎるファイルです: {file}", "the file is too large: {file}"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. about: what tells it from another of its kind (a number, a hash)."""

    kind: str
    about: str
    file: str = ""
    first: int = 0
    last: int = 0

    @property
    def said(self) -> Words:
        """In words."""
        given = {"file": self.file, "first": self.first, "last": self.last or self.first}
        return Words(SAID[self.kind].ja.format(**given), SAID[self.kind].en.format(**given))

    def identity(self, stream: str) -> str:
        """The same whenever the same thing is found."""
        return digest("transfer", stream, self.kind, self.about)

    def line(self, listener: str, stream: str) -> bytes:
        """As a log line."""
        told = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "listener": listener,
            "stream": stream,
            "finding": self.kind,
            "first": self.first,
            "last": self.last or self.first,
            "file": self.file,
            "ja": self.said.ja,
            "en": self.said.en,
        }
        return orjson.dumps(told)
