"""Causes: which service the trouble comes from, by several methods that can be checked.

Owns: the step behind the template ``rca.ranking`` and its methods.
Promises: the same rows give the same ranking; nothing is fitted to a system, its names or its
faults; each suspicion carries the counts that made it, and a trace to look at; when nothing
stands out, it says so.
Never: reads a store, knows what a label is, or guesses from how often a service was to blame.

Modules: `forest` (trees of spans), `calls` (spans → who called whom), `habits` (what spans do, as
facts to count), `evidence` (how sure a change is), `blame` (changes, and the deepest changed span
of each trace), `trial` (one comparison, with the onset), `during` (lines on no trace, by
their time), `visits` (lines without spans), `readings`
(what counters, histograms and levels say), `roles` (what a metric measures), `measures`
(resources), `silence` (what ceased), `named` (services that only calls name), `excess` (how much
trouble a metric tells), `flows` (where that enters, along a call graph or without), `changed`
(deploys and the like), `statements` (log lines by the statement that wrote them), `suspects` (what
speaks against whom), `words` (evidence), `ranking` (the step).
"""
