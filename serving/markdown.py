"""Markdown of our own model cards to HTML: headings, paragraphs, lists, tables, bold and code.

Every character is escaped first; there is no way to write HTML, a link or a picture.
"""

from __future__ import annotations

import html
import re

_INLINE = ((re.compile(r"\*\*([^*]+)\*\*"), "strong"), (re.compile(r"`([^`]+)`"), "code"))
_RULE = re.compile(r"\|[\s:|-]+\|")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c2330;background:#fff}table{border-collapse:collapse;display:block;overflow-x:auto}"
    "th,td{border:1px solid #c5ccd8;padding:.25rem .6rem;text-align:left}th{background:#eef1f6}"
    "code{background:#eef1f6;padding:0 .2rem;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{color:#e4e8ef;background:#14181f}"
    "th,code{background:#232a35}th,td{border-color:#3c4656}}"
)


def to_page(markdown: str, title: str) -> str:
    """Return a whole HTML page with its own style and no script."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{to_html(markdown)}</main></body></html>"
    )


def to_html(markdown: str) -> str:
    """Return the body of the document."""
    blocks = re.split(r"\n\s*\n", markdown.strip())
    return "\n".join(_block(block.splitlines()) for block in blocks if block.strip())


def _block(lines: list[str]) -> str:
    """One block: what its first line looks like decides."""
    first = lines[0]
    level = len(first) - len(first.lstrip("#"))
    if 1 <= level <= 6 and first[level : level + 1] == " ":
        rest = [_block(lines[1:])] if len(lines) > 1 else []
        return "\n".join([f"<h{level}>{_inline(first[level + 1 :])}</h{level}>", *rest])
    if first.startswith("|"):
        return _table(lines)
    if all(line.startswith(("- ", "  ")) for line in lines) and first.startswith("- "):
        return _list(lines)
    return f"<p>{_inline(' '.join(line.strip() for line in lines))}</p>"


def _list(lines: list[str]) -> str:
    """An unordered list; an indented line belongs to the entry before it."""
    entries: list[str] = []
    for line in lines:
        if line.startswith("- "):
            entries.append(line[2:])
        else:
            entries[-1] += f" {line.strip()}"
    return "<ul>" + "".join(f"<li>{_inline(entry)}</li>" for entry in entries) + "</ul>"


def _table(lines: list[str]) -> str:
    """A table; the row of dashes says that the first row is its head."""
    rows = [_cells(line) for line in lines if not _RULE.fullmatch(line.strip())]
    head = len(rows) < len(lines)
    drawn = []
    for number, row in enumerate(rows):
        tag = "th" if head and number == 0 else "td"
        drawn.append("<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>")
    return f"<table>{''.join(drawn)}</table>"


def _cells(line: str) -> list[str]:
    """The cells of one row."""
    return [_inline(cell.strip()) for cell in line.strip().strip("|").split("|")]


def _inline(text: str) -> str:
    """Escape, then set bold and code."""
    escaped = html.escape(text)
    for pattern, tag in _INLINE:
        escaped = pattern.sub(rf"<{tag}>\1</{tag}>", escaped)
    return escaped
