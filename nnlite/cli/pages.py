"""Pages of the executed lectures and their table of contents, complete in themselves.

Nothing on them is loaded from anywhere else: formulas are MathML, pictures and the font of the
formulas are part of the page, and each page forbids its browser to ask another host.
"""

from __future__ import annotations

import contextlib
import html
import os
import sqlite3
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnlite.checks.closed_forms import tables
from nnlite.cli import summary
from nnlite.cli.find import Lecture
from nnlite.cli.progress import duration
from nnlite.cli.typeset import font, typeset

if TYPE_CHECKING:
    from nnlite.cli.execute import Result

__all__ = ["index", "page", "sign", "write", "write_lecture"]

_signing = threading.Lock()  # the first to sign makes the secret that all sign with

_ALONE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "img-src data: blob: file: 'self'; media-src data: blob:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)

# nbconvert's own page, without the scripts that it would load, and with a way to the next lecture.
_TEMPLATE = (
    "{%- extends 'index.html.j2' -%}"
    "{%- block html_head_js_requirejs -%}" + _ALONE + "{%- endblock -%}"
    "{%- block jupyter_widgets -%}{%- endblock -%}"
    "{%- block html_head_js_mathjax -%}{%- endblock -%}"
    "{%- block html_head_js_mermaidjs -%}{%- endblock -%}"
    "{%- block html_head_css -%}<style>{{ resources.nnlite.style }}</style>{%- endblock -%}"
    "{%- block body_header -%}{{ super() }}{{ resources.nnlite.links }}{%- endblock -%}"
    "{%- block body_footer -%}{{ resources.nnlite.links }}{{ super() }}{%- endblock -%}"
)

# On a narrow screen a row of the ledger is a paragraph: verdict, claim, then its numbers.
_NARROW = """
@media (max-width:700px){
  .nnlite-ledger table{min-width:0!important}
  .nnlite-ledger :is(table,tbody){display:block}
  .nnlite-ledger :is(thead,colgroup){display:none}
  .nnlite-ledger tbody tr{display:flex;flex-wrap:wrap;padding:.4em 0}
  .nnlite-ledger td:nth-child(-n+2){flex:0 0 100%;box-sizing:border-box}
  .nnlite-ledger td:nth-child(3)::before{content:"measured ";opacity:.7}
  .nnlite-ledger td:nth-child(4)::before{content:"expected ";opacity:.7}
  .nnlite-ledger td:nth-child(n+3){padding-top:0!important}
}
"""

_STYLE = """
.nnlite-links{display:flex;flex-wrap:wrap;gap:.3em 2em;justify-content:space-between;
  max-width:1000px;margin:0 auto;padding:.8em 1em;font:14px system-ui,sans-serif}
.nnlite-links a{color:#0b57d0;text-decoration:underline}
main{max-width:1000px;margin:0 auto}
.jp-InputArea-editor{overflow-x:auto}
body img,body svg{max-width:100%;height:auto}
math[display=block]{overflow-x:auto;overflow-y:hidden;max-width:100%;padding:.2em 0}
.jp-RenderedHTMLCommon table{max-width:100%}
.jp-RenderedMarkdown table{display:block;overflow-x:auto}
.jp-OutputArea-output{overflow-x:auto}
@media (max-width:700px){
  body.jp-Notebook,body .jp-Notebook{padding:0 .4em}
  .jp-InputPrompt,.jp-OutputPrompt,.jp-InputArea-prompt,.jp-OutputArea-prompt{display:none!important}
  .jp-Cell{padding-left:0!important;padding-right:0!important}
  .highlight pre{overflow-x:auto}
}
"""


def write(path: Path, text: str) -> None:
    """Replace a file in one step: a reader never sees half of it, nor does a crash leave half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # What UTF-8 has no code for (half a pair, from a lecture's output) becomes "?".
        text = text.encode("utf-8", "replace").decode("utf-8")
        temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_lecture(result: Result, lectures: Sequence[Lecture], folder: Path) -> None:
    """Write the executed notebook, signed, and its page; each whole or not at all."""
    if result.notebook is None:
        return
    import nbformat

    name = result.lecture.name
    text = nbformat.writes(result.notebook)
    write(folder / f"{name}.ipynb", text)
    sign(folder / f"{name}.ipynb")
    write(folder / f"{name}.html", page(result, lectures, folder))


def sign(path: Path) -> bool:
    """Sign a notebook that was just run here, so that Jupyter trusts its outputs.

    Returns whether that was possible: where the user's folder of Jupyter cannot be written, a
    notebook opens without a signature, and its sliders move after it has been run once more.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    notebook = nbformat.read(path, as_version=4)
    with (
        _signing,
        warnings.catch_warnings(),
        contextlib.suppress(OSError, sqlite3.Error),
    ):
        warnings.simplefilter("ignore")
        for action in ("sign", "check_signature"):  # a new one reads what was really stored
            notary = NotebookNotary()
            with contextlib.closing(notary.store):
                signed = getattr(notary, action)(notebook)
        return bool(signed)
    return False


def page(result: Result, lectures: Sequence[Lecture], folder: Path) -> str:
    """Return the page of an executed lecture."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"nnlite.html.j2": _TEMPLATE})], template_file="nnlite.html.j2"
    )
    resources = {
        "metadata": {"name": result.lecture.title or result.lecture.name},
        "nnlite": {"style": _STYLE + _NARROW, "links": _links(result.lecture, lectures, folder)},
    }
    written, _ = exporter.from_notebook_node(result.notebook, resources=resources)
    written = typeset(written)
    return written.replace("</head>", f"<style>{font(written)}</style></head>", 1)


def _links(lecture: Lecture, lectures: Sequence[Lecture], folder: Path) -> str:
    """Links to the lectures before and after and to the table of contents."""
    names = [x.name for x in lectures]
    here = names.index(lecture.name)
    before = lectures[here - 1] if here > 0 else None
    after = lectures[here + 1] if here + 1 < len(names) else None
    parts = [
        f'<a rel="prev" href="{_href(before.name)}.html">← {_title(before)}</a>' if before else "",
        f'<a href="../index.html">all lectures</a> · <a href="{_href(lecture.name)}.ipynb">'
        "notebook</a>",
        f'<a rel="next" href="{_href(after.name)}.html">{_title(after)} →</a>' if after else "",
    ]
    inside = "".join(f"<span>{part}</span>" for part in parts)
    return f'<nav class="nnlite-links" aria-label="lectures">{inside}</nav>'


def _title(lecture: Lecture) -> str:
    return html.escape(lecture.title or lecture.name)


def _href(name: str) -> str:
    from urllib.parse import quote

    return quote(name)


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
  }
}
words.oninput=odd.onchange=filter;
"""


def index(
    results: Sequence[Result], lectures: Sequence[Lecture], folder: Path, full: bool, seconds: float
) -> str:
    """Return the table of contents with the combined ledger.

    Parameters
    ----------
    results : sequence of Result
        The lectures that have just run.
    lectures : sequence of Lecture
        All there are; those that have run earlier are linked if their page is still in `folder`.
    folder : Path
        Where the pages of the lectures are, beside the file this page is written to.
    full : bool
        Whether the seeded studies ran in full.
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
        f"<section><h2>{_title(result.lecture)}</h2>"
        f"{tables.html([check for _, check in result.checks])}</section>"
        for result in results
        if result.checks
    )
    body = typeset(
        "<h1>Lectures</h1>"
        f"<p>{html.escape(summary.closing(results))}, {duration(seconds)}.</p>{problems}"
        "<div class=wide><table class=contents><thead><tr><th>lecture</th><th>checks</th>"
        f"<th class=n>time</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f"<h1>The ledger</h1><p class=dim>{html.escape(summary.versions(full))}</p>"
        '<p><label>show rows with <input type="search" id="words" autocomplete="off"></label>'
        '<label><input type="checkbox" id="odd"> only those that did not pass</label></p>'
        f"{ledger}"
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{_ALONE}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>nnlite: lectures and ledger</title>"
        f"<style>{_INDEX_STYLE}{_NARROW}{font(body)}</style></head>"
        f"<body>{body}<script>{_FILTER}</script></body></html>"
    )


def _contents_row(lecture: Lecture, result: Result | None, folder: Path) -> str:
    """A lecture in the table of contents: links to what there is of it, and what came of it."""
    title, checks, took = _title(lecture), "from an earlier run", ""
    if result is None or result.notebook is not None:
        to = f"{_href(folder.name)}/{_href(lecture.name)}"
        title = f'<a href="{to}.html">{title}</a> (<a href="{to}.ipynb">notebook</a>)'
    if result is not None:
        checks = html.escape(tables.summary([check for _, check in result.checks]))
        checks = checks.replace(", caught as it should be", "")
        took = duration(result.seconds)
        if not result.passed:
            checks = f"<span class=bad>{html.escape(result.status)}</span>; {checks}"
    return f"<tr><td>{title}</td><td>{checks}</td><td class=n>{took}</td></tr>"
