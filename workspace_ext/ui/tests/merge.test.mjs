import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../src/merge.ts';
import { state, step } from './samples.mjs';

test('a delta adds and replaces entries of maps, each whole', () => {
  const before = state({ steps: { r1: step('r1', { status: 'running' }) } });
  const after = merge(before, {
    uid: before.uid,
    seq: 3,
    head: 'sha256:b',
    steps: { r1: step('r1', { status: 'ok' }), r2: step('r2') }
  });

  assert.deepEqual(Object.keys(after.steps), ['r1', 'r2']);
  assert.equal(after.steps.r1.status, 'ok');
  assert.equal(after.seq, 3);
  assert.equal(before.steps.r1.status, 'running');
});

test('what a delta does not name stays, and null replaces', () => {
  const before = state({ title: 'Slow cart', window: { start: 'a', end: 'b' } });
  const after = merge(before, { uid: before.uid, seq: 2, head: 'sha256:b', window: null });

  assert.equal(after.title, 'Slow cart');
  assert.equal(after.window, null);
});
