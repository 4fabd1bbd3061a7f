/** Small messages in the protocol's shapes, for the tests. */

export function state(changes = {}) {
  return {
    uid: 'i1',
    title: 'An incident',
    severity: '',
    state: 'open',
    window: null,
    baseline: null,
    services: [],
    pin: 1,
    pinned: null,
    notebook: 'a.ipynb',
    opened_at: '2026-01-01T00:00:00Z',
    seq: 1,
    head: 'sha256:a',
    hypotheses: {},
    steps: {},
    queries: {},
    notes: {},
    actions: {},
    agenda: null,
    conclusion: null,
    participants: {},
    ...changes
  };
}

export function step(id, changes = {}) {
  return {
    id,
    seq: 1,
    cell: 'c1',
    kernel: null,
    by: 'user:alice',
    started: '2026-01-01T00:00:00Z',
    ended: null,
    status: 'ok',
    error: null,
    source_digest: 'sha256:a',
    queries: [],
    ...changes
  };
}

export function query(id, changes = {}) {
  return {
    id,
    run: null,
    cell: null,
    at: '2026-01-01T00:00:00Z',
    template: null,
    title: 'SQL',
    sql: 'SELECT 1',
    params: {},
    pin: 1,
    pinned: null,
    rows: 1,
    digest: null,
    interesting: null,
    reason: '',
    compare: { mode: 'ordered', reason: '' },
    ok: true,
    error: null,
    hypothesis: null,
    ...changes
  };
}

export function template(changes = {}) {
  return {
    id: 'latency.shift',
    version: 1,
    digest: 'sha256:a',
    title: 'Latency shift',
    question: 'Which operations got slower?',
    status: 'stable',
    params: [],
    requires: ['spans.duration_ns'],
    returns: {},
    interesting: 'ratio > 2',
    covers: [],
    not_covered: [],
    chart: null,
    references: [],
    example: '',
    picture: false,
    ...changes
  };
}

export function param(name, type, changes = {}) {
  return {
    name,
    type,
    required: false,
    default: null,
    min: null,
    max: null,
    of: [],
    help: '',
    ...changes
  };
}
