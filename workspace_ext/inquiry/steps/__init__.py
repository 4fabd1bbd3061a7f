"""Steps: what a template does in Python with the rows of its SQL.

Owns: the steps that installed packages bring (`registry`), what a step may give (`contract`), the
processes that run them (`runner`, `worker`), and the steps that ship with the product.
Promises: a step runs in a process of its own under the limits of free SQL, and what it gives has
the columns that its template declares; what goes wrong is named with template and step.
Never: loads code from a folder that people write to, knows what a template is, or reads a store.

A step is a pure function ``(table: pa.Table, params: Mapping[str, object]) -> pa.Table``: the rows
of the SQL, and the values of all parameters as `Bound.arguments` has them (``window_start`` and
``window_end`` as aware times). The same rows give the same answer: no clock, no chance, no order
of a set. One that needs several inputs gets them as one SELECT with a column that tells the part,
or as columns of lists and structs. One whose answers change gets a new name, as in ``onset.2``:
the old one stays for what was recorded with it.
"""
