import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Digests, sourceDigest } from '../src/cells/digest.ts';
import { readCell, staleness } from '../src/cells/run.ts';
import { boundPieces, written } from '../src/cells/statement.ts';
import { badgeLabel, badgeWords } from '../src/cells/words.ts';

const LAST = {
  run: 'r1',
  seq: 7,
  by: 'user:alice',
  at: '2026-01-01T10:00:00Z',
  ok: true,
  source_digest: 'sha256:a',
  pin: 3,
  interesting: true,
  queries: 1
};
const NOW = new Date('2026-01-01T10:05:30Z');

test('a cell tells of its last run', () => {
  const cell = readCell({ uid: 'c1', role: 'query', last: LAST, replay: { verdict: 'same' } });

  assert.equal(cell.uid, 'c1');
  assert.deepEqual(
    [cell.last.by, cell.last.pin, cell.last.interesting, cell.replay],
    ['user:alice', 3, true, 'same']
  );
});

test('metadata that make no sense tell nothing, and break nothing', () => {
  for (const wrong of [undefined, null, 'x', 7, [], {}, { uid: 5 }, { uid: '' }]) {
    assert.equal(readCell(wrong), null);
  }
  for (const last of [undefined, 'x', {}, { run: 'r', at: 'yesterday' }]) {
    assert.equal(readCell({ uid: 'c1', last }).last, null);
  }
  const bare = readCell({ uid: 'c1', last: { run: 'r', at: LAST.at, pin: 'x', queries: null } });
  assert.deepEqual([bare.last.pin, bare.last.queries, bare.last.ok], [null, 0, false]);
});

test('a result is stale when its code was edited or the pin moved after it', () => {
  const { last } = readCell({ uid: 'c1', last: LAST });

  assert.deepEqual(staleness(last, 'sha256:a', 3), []);
  assert.deepEqual(staleness(last, 'sha256:b', 3), ['source']);
  assert.deepEqual(staleness(last, 'sha256:a', 4), ['pin']);
  assert.deepEqual(staleness({ ...last, pin: null }, 'sha256:a', 4), []);
});

test('a badge is read in order: who, when, on which data, what came of it', () => {
  const { last } = readCell({ uid: 'c1', last: LAST });
  const texts = (...args) => badgeWords(last, ...args, NOW).map(word => word.text);

  assert.deepEqual(texts([], '', 3), ['alice', '5 min ago', 'pin 3', 'interesting']);
  assert.deepEqual(texts(['source', 'pin'], 'changed', 4).slice(4), [
    'edited since',
    'older data',
    'replay: changed'
  ]);
  const failed = badgeWords({ ...last, ok: false, pin: null }, [], '', 3, NOW);
  assert.deepEqual(
    failed.map(word => word.text),
    ['alice', '5 min ago', 'failed']
  );
  assert.match(badgeLabel(failed), /^Last run: alice, 5 min ago, failed/);
});

test('a source has the digest that the server gives it', () => {
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  const umlaut = 'sha256:d353a2671b67afff0941ae456e5c76e9394bd6579774ae7542a6185fb9843384';

  assert.equal(sourceDigest(''), empty);
  assert.notEqual(sourceDigest('a'), sourceDigest('b'));
  const digests = new Digests();
  const holder = {};
  assert.equal(digests.of(holder, 'x'), sourceDigest('x'));
  assert.equal(digests.of(holder, 'y'), sourceDigest('y'));
  assert.equal(sourceDigest('größe'), umlaut);
});

test('a statement shows what was bound where', () => {
  const window = { start: '2026-01-01T00:00:00Z', end: '2026-01-01T01:00:00Z' };
  const pieces = boundPieces('SELECT $n, $other WHERE time < $window_end', { window, n: 1.5 });

  assert.deepEqual(pieces, [
    { text: 'SELECT ', name: null },
    { text: '1.5', name: 'n' },
    { text: ', ', name: null },
    { text: '$other', name: null },
    { text: ' WHERE time < ', name: null },
    { text: `'${window.end}'`, name: 'window_end' }
  ]);
  assert.deepEqual(boundPieces('', {}), []);
  assert.equal(written("it's"), "'it''s'");
  assert.equal(written(null), 'NULL');
  assert.equal(written(['a']), '["a"]');
});
