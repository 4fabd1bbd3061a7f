"""Adapters: one file a format; bytes in, records of the signals and rejects out."""
