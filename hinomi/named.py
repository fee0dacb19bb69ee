"""Files and folders that a person named: where the system refuses one, the answer names it and says why."""

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from hinomi.errors import InputError, Where
from hinomi.words import Words

_WHY = {
    errno.ENOENT: "見つかりません",
    errno.EACCES: "権限がありません",
    errno.EPERM: "許されていません",
    errno.EEXIST: "すでにあります",
    errno.EISDIR: "フォルダです",
    errno.ENOTDIR: "フォルダではありません",
    errno.ENOTEMPTY: "空のフォルダではありません",
    errno.ENOSPC: "ディスクに空きがありません",
    errno.EDQUOT: "割り当てられた容量を使い切りました",
    errno.EROFS: "読み取り専用です",
    errno.ENAMETOOLONG: "名前が長すぎます",
    errno.ELOOP: "リンクが循環しています",
    errno.EMFILE: "開いているファイルが多すぎます",
    errno.ENFILE: "開いているファイルが多すぎます",
    errno.EADDRINUSE: "ほかのプロセスが使っています",
    errno.EADDRNOTAVAIL: "この機械のアドレスではありません",
}


def why(error: OSError) -> Words:
    """Why the system refused, in both languages; in English only where it is none of the usual reasons."""
    said = error.strerror or str(error)
    return Words(_WHY.get(error.errno or 0, said), said)


@contextmanager
def named(path: Path, ja: str, en: str) -> Iterator[None]:
    """Around work on what was named. Raises InputError in place of an OSError; ja, en: what cannot be done."""
    try:
        yield
    except OSError as error:
        reason = why(error)
        raise InputError(f"{ja}({reason.ja})。", f"{en}: {reason.en}", where=Where(path)) from error


def reading(path: Path) -> AbstractContextManager[None]:
    """`named`, around opening or reading a file."""
    return named(path, "ファイルを読めません", "cannot be read")


def writing(path: Path) -> AbstractContextManager[None]:
    """`named`, around making or writing a file."""
    return named(path, "ファイルに書けません", "cannot be written")
