"""What every web server's access log says, in ECS: the request, its answer, and what that means."""

import polars as pl

from collectors import expressions as e


def request(method: pl.Expr, target: pl.Expr, status: pl.Expr) -> dict[str, pl.Expr]:
    """http.*, url.* and event.* of one request; target: as in the request line (a path, or an address)."""
    code, address = e.whole(status), e.url_columns(e.present(target))
    refused = code.is_in([401, 403, 407, 429])
    path = e.first(
        address["url.path"], pl.when(target.str.starts_with("/")).then(target.str.extract(r"^([^?#]*)"))
    )
    return {
        **address,
        "url.path": path,
        "http.request.method": e.present(method),
        "http.response.status_code": code,
        "event.category": e.texts("web"),
        "event.type": pl.when(refused)
        .then(e.texts("access", "denied"))
        .when(code >= 400)
        .then(e.texts("access", "error"))
        .otherwise(e.texts("access")),
        "event.outcome": pl.when(code.is_between(100, 399))
        .then(pl.lit("success"))
        .when(code >= 400)
        .then(pl.lit("failure")),
    }
