import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headline, wording } from '../src/query.ts';
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
