"""Templates: tested questions, each one `.sql` file with a header.

Owns: the header's language, lint, the binding of parameters, the library of template files,
the verdict on an answer, the chart's small vocabulary, and the check that runs fixtures.
Promises: values are bound, never pasted; a file that is wrong is named with its line and
never takes the others down; binding what was recorded gives the same values again.
Never: opens the store; the query room runs what is bound here.

Modules: `model` (what a template is), `header` (text → template), `binding` (parameters),
`lint` (what its SQL may be), `library` (files → templates), `judge` and `quality` (the verdict
and its warnings), `chart`, `fixtures` and `check` (the tests that travel with each template),
`sandbox` (the private databases behind these).
"""
