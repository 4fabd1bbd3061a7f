import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isEdit,
  lastWith,
  outputsNoted,
  reviewed,
  summary,
  whatBecame,
  whoChanged
} from '../src/history/changes.ts';

function version(revision, actors, changes) {
  return { revision, actors, changes, parent: revision - 1 };
}

function cell(what, changes = {}) {
  return { uid: 'c', what, before: 1, after: 1, outputs_before: [], outputs_after: [], ...changes };
}

test('a version is summed up by what became of its cells', () => {
  const changes = {
    '': 'metadata',
    a: 'added',
    b: 'source',
    c: 'source outputs',
    d: 'outputs',
    e: 'moved',
    f: 'removed'
  };

  assert.equal(summary(changes), '1 added, 2 edited, 1 run, 1 moved, 1 removed, metadata');
  assert.equal(summary({}), '');
});

test('what only runs left behind is no edit', () => {
  assert.equal(isEdit(version(2, [], { a: 'outputs' })), false);
  assert.equal(isEdit(version(2, [], { a: 'source outputs' })), true);
  assert.equal(isEdit(version(2, [], { '': 'metadata' })), true);
});

test('who changed a cell between two versions is named once', () => {
  const versions = [
    version(4, ['user:carol'], { a: 'source' }),
    version(3, ['user:bob', 'user:alice'], { a: 'source' }),
    version(2, ['user:alice'], { a: 'source', b: 'added' })
  ];

  assert.deepEqual(whoChanged(versions, 'a', 1, 3), ['user:bob', 'user:alice']);
  assert.deepEqual(whoChanged(versions, 'a', 3, null), ['user:carol']);
  assert.deepEqual(whoChanged(versions, 'b', 2, 4), []);
});

test('a cell comes back from the newer version that has it', () => {
  const both = { old: 4, new: 5 };
  const untilNow = { old: 4, new: null };

  assert.equal(lastWith(cell('source'), both), 5);
  assert.equal(lastWith(cell('added', { before: null }), both), 5);
  assert.equal(lastWith(cell('removed', { after: null }), both), 4);
  assert.equal(lastWith(cell('source'), untilNow), 4);
  assert.equal(lastWith(cell('added', { before: null }), untilNow), null);
});

test('what became of a cell is said in words', () => {
  assert.equal(whatBecame(cell('added')), 'added');
  assert.equal(whatBecame(cell('source outputs')), 'edited, outputs differ');
  assert.equal(whatBecame(cell('moved', { after: 4 })), 'moved from place 1 to 4');
});

test('outputs are noted by their kinds', () => {
  const kinds = { outputs_before: ['stdout', 'stdout'], outputs_after: ['text/html'] };

  assert.equal(outputsNoted(cell('outputs', kinds)), 'Outputs: 2 × printed text → text or table');
  assert.equal(
    outputsNoted(cell('outputs', { ...kinds, outputs_before: ['text/html'] })),
    'Outputs of the same kinds with other content: text or table'
  );
  const odd = { outputs_before: ['application/x-odd'], outputs_after: ['image/png', 'error'] };
  assert.equal(outputsNoted(cell('outputs', odd)), 'Outputs: application/x-odd → picture, error');
  assert.equal(outputsNoted(cell('source', kinds)), '');
});

test('reviewers stand at the version they looked at', () => {
  const steps = [
    { seq: 1, revision: 3, action: 'request', by: 'user:alice' },
    { seq: 2, revision: 3, action: 'approve', by: 'user:bob' }
  ];

  assert.deepEqual(
    reviewed({ steps })
      .get(3)
      .map(step => step.action),
    ['request', 'approve']
  );
  assert.equal(reviewed(null).size, 0);
});
