"""Who a Security event is about, out of its message text: for senders that forward the text and no event data.

Facts: Microsoft's event message templates, English and Japanese: a block `Subject:` (`サブジェクト:`) with
`Account Name:` or, in older events, `User Name:`, and the domain behind it.
"""

import polars as pl

from collectors.windows.kinds import SECURITY_PROVIDER

_BLOCK = r"(?:Subject|サブジェクト):\s+(?:(?:Security ID|セキュリティ ID):[^\r\n]*\s+)?"
_NAME = rf"{_BLOCK}(?:Account Name|User Name|アカウント名|ユーザー名):[ \t]*([^\s][^\r\n]*)"
_DOMAIN = r"\s+(?:Account Domain|Domain|アカウント ドメイン|ドメイン):[ \t]*([^\s][^\r\n]*)"
_SID = r"(?:Subject|サブジェクト):\s+(?:Security ID|セキュリティ ID):[ \t]*(S-1-[0-9\-]+)"


def with_subject(frame: pl.DataFrame, provider: str) -> pl.DataFrame:
    """The frame with `user.*` from `winlog.message` in the rows that name no user."""
    if provider != SECURITY_PROVIDER or "winlog.message" not in frame.columns:
        return frame
    empty = pl.col("user.name").is_null() if "user.name" in frame.columns else pl.lit(True)
    needed = frame.filter(empty & pl.col("winlog.message").is_not_null())
    if not needed.height:
        return frame
    found = {"user.name": _said(_NAME), "user.domain": _said(_NAME + _DOMAIN, 2), "user.id": _said(_SID)}
    return frame.with_columns(
        pl.when(empty & expr.is_not_null()).then(expr).otherwise(_kept(frame, name)).alias(name)
        for name, expr in found.items()
    )


def _kept(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, dtype=pl.String)


def _said(pattern: str, group: int = 1) -> pl.Expr:
    value = pl.col("winlog.message").str.extract(pattern, group).str.strip_chars()
    return pl.when(~value.is_in(["", "-"])).then(value)
