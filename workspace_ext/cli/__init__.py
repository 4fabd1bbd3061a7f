"""Command line: ``jupyter investigation …``, one file a command.

Owns: arguments, output for people and ``--json``, progress, exit codes.
Promises: an error is one line with a hint, and the right exit code; no traceback without --debug.
Never: holds logic that another edge could want.
"""
