"""Regenerate hinomi/ecs_fields.csv from the ECS field list (fields.csv of elastic/ecs, Apache-2.0).

usage: python -m ops.generate.ecs_table FIELDS.csv

Kept: the field's name, type and whether ECS normalises it to an array. Nothing else is needed to
type a column, and a small table can be read at every start.
"""

import csv
import sys
from pathlib import Path

TABLE = Path(__file__).parents[2] / "hinomi" / "ecs_fields.csv"


def rows(source: Path) -> list[tuple[str, str, str]]:
    """(field, type, "array" or "") for each field of the list, sorted by name."""
    with source.open(encoding="utf-8", newline="") as handle:
        found = {
            (row["Field"], row["Type"], "array" if "array" in (row["Normalization"] or "") else "")
            for row in csv.DictReader(handle)
        }
    return sorted(found)


def main() -> None:
    """Write the table beside the kernel module that reads it."""
    lines = ["field,type,array", *(",".join(row) for row in rows(Path(sys.argv[1])))]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TABLE}: {len(lines) - 1} fields")


if __name__ == "__main__":
    main()
