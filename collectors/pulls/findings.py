"""What a pull could not bring, as lines of `hinomi.pull`: told once, searchable, made into alerts by a rule of the pack `own`.

They go the way of any log, through the spool into the store, so they outlive a crash.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from hinomi.identity import digest
from hinomi.words import Words

ORIGIN = "hinomi.pull"

SAID = {
    "time_not_kept": Words(
        "{stream}: {first} から {last} までの記録は、サービスが保存しなくなったため取れませんでした。",
        "{stream}: records from {first} to {last} are not kept by the service any more and were not read",
    ),
    "content_gone": Words(
        "{stream}: サービスが一覧に出した記録のまとまりが、もうありませんでした: {about}",
        "{stream}: content that the service listed is gone: {about}",
    ),
    "messages_gone": Words(
        "{stream}: {n} 件のメッセージは、読む前に保存期間を過ぎて消えていました。",
        "{stream}: {n} messages were deleted by retention before they were read",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One loss. stream: of what; about: what tells it from another of its kind; first and last: the time that is missing,
    as text; n: how many records, where that is known."""

    kind: str
    stream: str
    about: str
    first: str = ""
    last: str = ""
    n: int = 0

    @property
    def said(self) -> Words:
        """In words."""
        given = {
            "stream": self.stream, "about": self.about, "first": self.first, "last": self.last, "n": self.n,
        }  # fmt: skip
        return Words(SAID[self.kind].ja.format(**given), SAID[self.kind].en.format(**given))

    def identity(self, pull: str) -> str:
        """The same whenever the same loss is found."""
        return digest("pull", pull, self.stream, self.kind, self.about)

    def line(self, pull: str) -> bytes:
        """As a log line of the pull of that name."""
        told = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "pull": pull,
            "stream": self.stream,
            "finding": self.kind,
            "first": self.first,
            "last": self.last,
            "messages": self.n,
            "ja": self.said.ja,
            "en": self.said.en,
        }
        return orjson.dumps(told)
