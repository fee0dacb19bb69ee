"""Files and folders that a person named: where the system refuses one, the answer names it and says why."""

import errno
import os
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
    errno.EIO: "機器の読み書きに失敗しました",
    errno.EBUSY: "使用中です",
    errno.ETXTBSY: "実行中のプログラムです",
    errno.ESTALE: "共有フォルダの側で失われました",
    errno.ETIMEDOUT: "応答がありません",
    errno.EFBIG: "大きすぎます",
    errno.EADDRINUSE: "ほかのプロセスが使っています",
    errno.EADDRNOTAVAIL: "この機械のアドレスではありません",
}


class Unread(OSError):
    """A refusal that is ours, not the system's; words: why."""

    def __init__(self, number: int, words: Words) -> None:
        super().__init__(number, words.en)
        self.words = words


def why(error: OSError) -> Words:
    """Why the system refused, in both languages; in English only where it is none of the usual reasons."""
    if isinstance(error, Unread):
        return error.words
    number = error.errno or 0
    said = (
        os.strerror(number) if number in _WHY else error.strerror or str(error)
    )  # asyncio writes its own around it
    return Words(_WHY.get(number, said), said)


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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """`named`, around making or writing a file; where its folder is missing, that is what is named."""
    with named(path, "ファイルに書けません", "cannot be written"):
        try:
            yield
        except FileNotFoundError as error:
            if path.parent.is_dir():
                raise
            raise InputError(
                "フォルダがありません。", "there is no such folder", where=Where(path.parent)
            ) from error
