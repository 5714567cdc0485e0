"""The table of contents of the executed lectures, with the combined ledger."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnlite.checks.closed_forms import tables
from nnlite.cli import summary
from nnlite.cli.find import Lecture
from nnlite.cli.pages import ALONE, NARROW, href, title_of
from nnlite.cli.progress import duration
from nnlite.cli.typeset import font, typeset

if TYPE_CHECKING:
    from nnlite.cli.execute import Result

__all__ = ["index"]

_INDEX_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:68em;margin:0 auto;padding:1em}
h1{font-size:1.5em}h2{font-size:1.15em;margin:1.6em 0 .3em}
.contents{border-collapse:collapse;width:100%}
.contents td,.contents th{text-align:left;padding:.35em .7em;vertical-align:top;
  border-bottom:1px solid rgba(128,128,128,.35)}
.contents .n{text-align:right!important;white-space:nowrap;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}.dim{opacity:.7}.bad{color:#b84300;font-weight:bold}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid #b84300;padding-left:.8em}
input[type=search]{font:inherit;width:min(24em,100%);padding:.2em .5em}
label{margin-right:1.2em}
"""

# Hides the rows that do not hold every word, and the lectures of which no row is left.
_FILTER = """
const words=document.getElementById('words'),odd=document.getElementById('odd');
function filter(){
  const wanted=words.value.toLowerCase().split(/\\s+/);
  for(const section of document.querySelectorAll('section')){
    let left=0;
    for(const row of section.querySelectorAll('tbody tr')){
      const text=row.textContent.toLowerCase();
      const show=wanted.every(w=>text.includes(w))&&(!odd.checked||!text.includes('\u2713 pass'));
      row.style.display=show?'':'none';left+=show;
    }
    section.style.display=left?'':'none';
    // While something is looked for, no section hides its rows; else the story alone is open.
    const looking=wanted.join('')||odd.checked;
    section.querySelectorAll('details').forEach((part,i)=>part.open=looking||i==0);
  }
}
words.oninput=odd.onchange=filter;
"""


def index(
    results: Sequence[Result],
    lectures: Sequence[Lecture],
    folder: Path,
    mode: summary.Mode,
    seconds: float,
) -> str:
    """The table of contents with the combined ledger.

    Parameters
    ----------
    results : sequence of Result
        The lectures that have just run.
    lectures : sequence of Lecture
        All there are; those that have run earlier are linked if their page is still in ``folder``.
    folder : Path
        Where the pages of the lectures are, beside the file this page is written to.
    mode : Mode
        How much of the lectures ran.
    seconds : float
        How long all took.
    """
    ran = {result.lecture.name: result for result in results}
    rows = "".join(
        _contents_row(x, ran.get(x.name), folder)
        for x in lectures
        if x.name in ran or (folder / f"{x.name}.html").exists()
    )
    problems = "".join(
        f"<p class=bad>✗ {html.escape(summary.where(result))}</p>"
        f"<pre>{html.escape(result.problem)}</pre>"
        for result in results
        if not result.passed
    )
    ledger = "".join(
        f"<section><h2>{title_of(result.lecture)}</h2>"
        f"{tables.html([check for _, check in result.checks])}</section>"
        for result in results
        if result.checks
    )
    body = typeset(
        "<h1>Lectures</h1>"
        f"<p>{html.escape(summary.closing(results))}, {duration(seconds)}.</p>{problems}"
        "<div class=wide><table class=contents><thead><tr><th>lecture</th><th>checks</th>"
        f"<th class=n>time</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f"<h1>The ledger</h1><p class=dim>{html.escape(summary.versions(mode))}</p>"
        '<p><label>show rows with <input type="search" id="words" autocomplete="off"></label>'
        '<label><input type="checkbox" id="odd"> only those that did not pass</label></p>'
        f"{ledger}"
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{ALONE}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>nnlite: lectures and ledger</title>"
        f"<style>{_INDEX_STYLE}{NARROW}{font(body)}</style></head>"
        f"<body>{body}<script>{_FILTER}</script></body></html>"
    )


def _contents_row(lecture: Lecture, result: Result | None, folder: Path) -> str:
    """A lecture in the table of contents: links to what there is of it, and what came of it."""
    title, checks, took = title_of(lecture), "from an earlier run", ""
    if result is None or result.notebook is not None:
        to = f"{href(folder.name)}/{href(lecture.name)}"
        title = f'<a href="{to}.html">{title}</a> (<a href="{to}.ipynb">notebook</a>)'
    if result is not None:
        checks = html.escape(tables.summary([check for _, check in result.checks]))
        checks = checks.replace(", caught as it should be", "")
        took = duration(result.seconds)
        if not result.passed:
            checks = f"<span class=bad>{html.escape(result.status)}</span>; {checks}"
    return f"<tr><td>{title}</td><td>{checks}</td><td class=n>{took}</td></tr>"
