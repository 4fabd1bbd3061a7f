"""Archive: a closed investigation as one file, and what running it again says.

Owns: the layout of the file, freezing, verifying, replaying with a private broker, comparing,
and the report.
Promises: an archive holds all that a replay needs, and nothing outside the investigation's
own reads; whatever in it was changed is found and named; a comparison is never silently widened.
Never: opens the store of a running broker, or uses the network.
"""
