"""Storage: the only door to a database.

Owns: the telemetry engine (one DuckDB file) and the records engine (SQLAlchemy, SQLite), their
folder, its lock and its numbered migrations.
Promises: one process opens a store; a second is told who holds it.
Never: knows what a span, a template or an investigation is.
"""
