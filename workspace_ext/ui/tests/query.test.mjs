import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headline, ledTo, outcome, pathTo, wording } from '../src/query.ts';
import { query } from './samples.mjs';

test('a headline names the service that a template was asked about', () => {
  const template = { id: 'latency.shift', version: 2, digest: 'sha256:a' };
  const asked = { title: 'Latency shift', template };

  assert.equal(headline(query('q', asked)), 'Latency shift');
  assert.equal(
    headline(query('q', { ...asked, params: { service: 'cart' } })),
    'Latency shift · cart'
  );
  assert.equal(headline(query('q', { ...asked, title: '' })), 'latency.shift');
  assert.equal(
    headline(query('q', { title: 'SELECT 1', params: { service: 'cart' } })),
    'SELECT 1'
  );
});

test('an answer without rows says so once', () => {
  const template = { id: 'latency.shift', version: 2, digest: 'sha256:a' };

  assert.equal(outcome(query('q', { template, rows: 0, reason: 'no rows' })), 'no rows');
  assert.equal(outcome(query('q', { rows: 0, reason: 'no rows' })), 'no rows');
  assert.equal(outcome(query('q', { template, rows: 2, reason: 'slower' })), '2 rows · slower');
  assert.equal(outcome(query('q', { rows: 1, reason: 'no rule: free SQL' })), '1 row');
});

test('the wording has everything that was bound', () => {
  const asked = query('q', {
    template: { id: 'latency.shift', version: 2, digest: 'sha256:a' },
    params: {
      window: { start: '2022-08-22T03:51:00Z', end: '2022-08-22T03:55:00Z' },
      service: 'cart',
      quantile: 0.95,
      operation: null
    }
  });

  assert.equal(
    wording(asked),
    [
      'latency.shift, version 2',
      'window = 2022-08-22 03:51:00 UTC – 2022-08-22 03:55:00 UTC',
      'service = cart',
      'quantile = 0.95'
    ].join('\n')
  );
  assert.equal(wording(query('q', { sql: 'SELECT 1' })), 'SELECT 1');
});

test('a path leads from the first answer to the last, and a circle ends it', () => {
  const queries = {
    a: query('a', { at: '2026-01-01T00:00:01Z' }),
    b: query('b', { parent: 'a', at: '2026-01-01T00:00:02Z' }),
    c: query('c', { parent: 'b' }),
    d: query('d', { parent: 'a', at: '2026-01-01T00:00:01.5Z' }),
    e: query('e', { parent: 'gone' }),
    f: query('f', { parent: 'f' })
  };
  const ids = found => found.map(({ id }) => id);

  assert.deepEqual(ids(pathTo(queries, queries.c)), ['a', 'b']);
  assert.deepEqual(ids(ledTo(queries, queries.a)), ['d', 'b']);
  assert.deepEqual(ids(pathTo(queries, queries.e)), []);
  assert.deepEqual(ids(pathTo(queries, queries.f)), ['f']);
});
