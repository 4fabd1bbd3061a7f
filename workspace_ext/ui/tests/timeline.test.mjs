import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorBesides, timeline } from '../src/timeline.ts';
import { query, state, step } from './samples.mjs';

test('steps come newest first, with their queries', () => {
  const story = timeline(
    state({
      steps: {
        r1: step('r1', { seq: 1, started: '2026-01-01T00:00:01Z', queries: ['q1', 'lost'] }),
        r2: step('r2', { seq: 2, started: '2026-01-01T00:00:01Z' }),
        r3: step('r3', { seq: 3, started: '2026-01-01T00:00:09.5Z' })
      },
      queries: { q1: query('q1') }
    })
  );

  assert.deepEqual(
    story.map(entry => entry.key),
    ['r3', 'r2', 'r1']
  );
  assert.deepEqual(
    story[2].queries.map(one => one.id),
    ['q1']
  );
});

test('a query that no captured run made is a line of its own', () => {
  const story = timeline(state({ queries: { q1: query('q1', { cell: 'c7' }) } }));

  assert.equal(story.length, 1);
  assert.equal(story[0].step, null);
  assert.equal(story[0].cell, 'c7');
});

test('what was said belongs to the run that it fell into', () => {
  const by = 'user:alice';
  const note = { id: 'n', kind: 'decision', text: 'Restart', because: '', by, cell: 'c1' };
  const story = timeline(
    state({
      steps: {
        r1: step('r1', { started: '2026-01-01T00:00:01Z', ended: '2026-01-01T00:00:02Z' }),
        r2: step('r2', { started: '2026-01-01T00:00:05Z' }),
        r3: step('r3', { started: '2026-01-01T00:00:01Z', cell: 'c2' })
      },
      notes: { n: { ...note, at: '2026-01-01T00:00:01.5Z' } },
      conclusion: {
        root_cause: 'A full disk',
        confidence_percent: 90,
        evidence: [],
        hypothesis: null,
        by,
        at: '2026-01-01T00:00:06Z',
        cell: 'c1'
      }
    })
  );
  const said = Object.fromEntries(story.map(({ key, sayings }) => [key, sayings]));

  assert.deepEqual(
    said.r1.map(({ kind, text }) => [kind, text]),
    [['Decision', 'Restart']]
  );
  assert.deepEqual(
    said.r2.map(({ kind, text }) => [kind, text]),
    [['Conclusion', 'A full disk']]
  );
  assert.deepEqual(said.r3, []);
});

test('an error that a query tells is not told again by its run', () => {
  const failed = step('r1', { status: 'error', error: 'BadInput: no window' });

  assert.equal(errorBesides(failed, [query('q1', { ok: false, error: 'no window' })]), null);
  assert.equal(errorBesides(failed, [query('q1')]), 'BadInput: no window');
  assert.equal(errorBesides(failed, []), 'BadInput: no window');
  assert.equal(errorBesides(step('r2'), []), null);
  assert.equal(errorBesides(null, [query('q1', { ok: false, error: 'no window' })]), null);
});
