"""Versions: every notebook of an investigation as it was each time it was saved or run.

Owns: taking a notebook apart and putting it together (`content`), the content-addressed parts
(`blobs`), the revisions with who, when and why (`store`, `service`), what is sent of a save
(`sending`), what differs between two (`difference`), the way back to one (`restoring`) or after a
notebook was lost (`recovery`), and whether what is kept is what was saved (`audit`).
Promises: a part is kept once; a save of the same content is no new version; nothing is ever
overwritten, so a restore is a version, too; a version's digest is in the ledger; what somebody
changed outside of us is a version by *unknown*.
Never: reads or writes a notebook's file; keeps our own metadata, which is a projection of the
record.
"""
