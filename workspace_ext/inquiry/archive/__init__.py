"""Archive: a closed investigation as one file, and what running it again says.

Owns: the layout of the file (`container`), freezing (`freeze`, `slices`, `redacting`) with what the
archive says of itself (`crate`, `prov`, `environment`), signing, verifying (`auditor`), replaying
with a private broker, comparing, the report, and which rows must stay until there is an archive
(`needs`).
Promises: an archive holds all that a replay needs, and nothing outside the investigation's
own reads; whatever in it was changed is found and named; a comparison is never silently widened.
Never: opens the store of a running broker, or uses the network.
"""
