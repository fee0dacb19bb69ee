"""Tables on a terminal: nothing is cut, whatever its width."""

from io import StringIO

import pytest
from rich.console import Console

from ops.tables import folding

TITLE = "国外からのVPNサインイン成功のあとのファイルサーバーへの大量アクセス"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_long_japanese_title_is_whole_on_a_terminal_of_any_width(width: int) -> None:
    out = StringIO()
    table = folding("時刻 / time", "題名 / title")
    table.add_row("11/27 02:20", TITLE)
    Console(file=out, width=width).print(table)
    rows = [line.split("│") for line in out.getvalue().splitlines() if line.count("│") == 3]
    assert "".join(cell.strip() for _, _, cell, _ in rows) == TITLE
