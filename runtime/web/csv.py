"""Tables for spreadsheets, safe to open in one.

A cell that a spreadsheet would read as a formula is prefixed with an apostrophe (OWASP, "CSV
Injection"); text that a device or a person supplied can therefore not run there.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from starlette.responses import Response

_FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "|",
    "%",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)
"""The last four are the full-width forms, which spreadsheets of East Asian settings read alike."""

Cell = str | int | None


def _safe(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, int):
        return cell
    text = cell.replace("\x00", "")
    # A spreadsheet skips leading blanks before it looks for a formula.
    return f"'{text}" if text.lstrip(" \ufeff\u00a0").startswith(_FORMULA_STARTS) else text


def dumps(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table as RFC 4180 text with one header line; every row is as wide as the header."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([_safe(name) for name in header])
    for row in rows:
        writer.writerow([_safe(cell) for _, cell in zip(header, row, strict=True)])
    return sheet.getvalue()


def download(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Return a table as a file to save; `name` is ours, never text that somebody supplied."""
    # The mark tells spreadsheets that the text is UTF-8.
    body = "\ufeff" + dumps(header, rows)
    disposition = f'attachment; filename="{name}"'
    return Response(
        body,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition},
    )
