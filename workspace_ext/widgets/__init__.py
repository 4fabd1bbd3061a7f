"""Controls in a notebook: a template's form, the board of hypotheses, the story.

Owns: views made of plain ipywidgets, so that they work in JupyterLab, VS Code and wherever else
these do; each carries a still picture of itself, a table in HTML and in text, which is what one
sees on nbviewer, in an export, and when its kernel has gone.
Promises: what a view shows came from the broker, what it does goes through what it was given
(`ask`, `act`); an error stands in the view, with its hint; nothing typed is lost by it.
Never: opens a store, talks to the broker itself, or imports ipywidgets before a view is shown.
It runs in people's kernels: no database, no web server, no service.

Modules: `view` (what all share), `tables` (still pictures), `fields` (typed inputs), `form`,
`board` and `timeline`.
"""
