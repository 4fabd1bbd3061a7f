"""Server: the Jupyter side.

Owns: who is who (`identity`, `login`, `hub`, `presence`), the tap on kernel messages (`connection`,
`kernels`, `sessions`, `tap`, `reporter`), notebooks and what is written into them (`view`, `live`,
`notebooks`, `openings`, `followers`, `adoption`), every save as a version by whoever was seen to
edit (`saves`, `editors`, `restoring`), the line to the broker (`link`), the browser's routes
(`handlers` and its kin, `stream`), and where the server's state lies (`placement`). `workspace`
puts them together.
Promises: every run through this server is recorded with the person the server authenticated;
a failing record never stops a run, and says so in the log; a user's typing is never lost to our
metadata; nothing blocks the event loop on the broker; nothing is started before it is needed,
and nothing is left behind.
Never: opens a store's databases, or trusts a name that a browser or a kernel sent.
"""
