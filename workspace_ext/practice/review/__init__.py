"""Review: does somebody else agree with what an investigation says?

Owns: the states of a review and which may follow which (`lifecycle`), comments on cells and
hypotheses, both as a fold over the investigation's ledger (`fold`), what changed since a person
last looked (`changes`), the Markdown post-mortem (`postmortem`), and which query templates were
looked through (`templates`).
Promises: nobody reviews what they ran, edited or reported; an approval names the exact version
of the notebook and the place in the ledger, and lapses with the next change, which is derived
and not stored; a comment is never changed or removed.
Never: believes a browser or a kernel who somebody is; moves what an investigation found.
"""
