"""Why a correlation spoke, in words with figures."""

from dataclasses import dataclass
from functools import lru_cache

_MINUTE = 60 * 1_000_000_000
_NOUNS = {
    "user.name": ("人分", "people"),
    "user.target.name": ("人分", "people"),
    "host.name": ("台分", "machines"),
    "source.ip": ("個の送信元", "source addresses"),
    "destination.ip": ("個の宛先", "destinations"),
    "destination.port": ("個のポート", "ports"),
    "destination.ip+destination.port": ("組の宛先とポート", "pairs of address and port"),
    "dns.question.name": ("種類の名前", "names"),
    "source.geo.country_iso_code": ("か国", "countries"),
    "file.name": ("個のファイル", "files"),
}
_FIGURES = {
    "value_sum": ("合計", "{} altogether"),
    "value_avg": ("平均", "{} on average"),
    "value_median": ("中央値", "{} as the median"),
    "value_percentile": ("百分位の値", "{} as the percentile"),
}
_DISTINCT = ("種類", "distinct values")
_MOST_TITLES = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """kind: the correlation's type; timespan in ns; counted: the fields counted; of: titles (ja, en) of its rules; some: a
    number of them is enough."""

    kind: str
    timespan: int
    counted: tuple[str, ...] = ()
    of: tuple[tuple[str, str], ...] = ()
    some: bool = False

    def words(self, n: int, peak: float) -> tuple[str, str]:
        """For a burst of n events in which the highest figure was `peak`."""
        if self.kind == "detection":
            return (f"{n:,}件", f"{n:,} events") if n > 1 else ("", "")
        if self.kind.startswith("temporal"):
            return self._some_of(n, peak) if self.some else self._in_sequence(n)
        return self._counted(n, peak)

    def _counted(self, n: int, peak: float) -> tuple[str, str]:
        ja, en = self._figure(peak)
        what_ja = "・".join(self._titles(0))
        what_en = ", ".join(self._titles(1))
        head_ja, head_en = (f"{what_ja}が" if what_ja else ""), (f"{what_en}: " if what_en else "")
        span_ja, span_en = self._span()
        return f"{head_ja}{span_ja}に{ja}(全{n:,}件)", f"{head_en}{en} in {span_en} ({n:,} events in all)"

    def _figure(self, peak: float) -> tuple[str, str]:
        if self.kind == "event_count":
            return f"{peak:,.0f}件", f"{peak:,.0f}"
        if self.kind == "value_count":
            ja, en = _NOUNS.get("+".join(self.counted), _DISTINCT)
            return f"{peak:,.0f}{ja}", f"{peak:,.0f} {en}"
        amount = (
            f"{peak / 1e6:,.0f} MB"
            if self.counted and self.counted[0].endswith(".bytes")
            else f"{peak:,.10g}"
        )
        ja, en = _FIGURES[self.kind]
        return f"{ja} {amount}", en.format(amount)

    def _in_sequence(self, n: int) -> tuple[str, str]:
        span_ja, span_en = self._span()
        ordered = self.kind == "temporal_ordered"
        ja = (" → " if ordered else " と ").join(self._titles(0))
        en = (", then " if ordered else " and ").join(self._titles(1))
        how_ja = "続けて起きた" if ordered else "そろって起きた"
        return f"{ja}が{span_ja}以内に{how_ja}({n:,}件)", f"{en} within {span_en} ({n:,} events)"

    def _some_of(self, n: int, peak: float) -> tuple[str, str]:
        span_ja, span_en = self._span()
        ja, en = "・".join(self._titles(0)), ", ".join(self._titles(1))
        return (
            f"{ja}のうち{peak:.0f}種類が{span_ja}以内に起きた({n:,}件)",
            f"{peak:.0f} of {en} within {span_en} ({n:,} events)",
        )

    def _titles(self, language: int) -> tuple[str, ...]:
        return _titles(self.of, language)

    def _span(self) -> tuple[str, str]:
        minutes = self.timespan / _MINUTE
        if minutes < 2:
            seconds = round(minutes * 60)
            return f"{seconds}秒間", f"{seconds} seconds"
        if minutes < 120:
            return f"{minutes:.0f}分間", f"{minutes:.0f} minutes"
        return f"{minutes / 60:.0f}時間", f"{minutes / 60:.0f} hours"


@lru_cache(maxsize=1_000)
def _titles(of: tuple[tuple[str, str], ...], language: int) -> tuple[str, ...]:
    """Each title once, and no more than can be read."""
    titles = tuple(dict.fromkeys(title[language] for title in of))
    return titles if len(titles) <= _MOST_TITLES else (*titles[:_MOST_TITLES], "…")
