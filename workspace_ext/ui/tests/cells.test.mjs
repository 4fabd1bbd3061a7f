import assert from 'node:assert/strict';
import { test } from 'node:test';
import { query, state } from './samples.mjs';
import './sources.mjs';

const { Digests, sourceDigest } = await import('../src/cells/digest.ts');
const { moved } = await import('../src/cells/moved.ts');
const { proposalHint, proposalLabel, proposals } = await import('../src/cells/onward.ts');
const { readCell, staleness } = await import('../src/cells/run.ts');
const { boundPieces, written } = await import('../src/cells/statement.ts');
const { badgeLabel, badgeWords } = await import('../src/cells/words.ts');

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

const HOUR = { start: '2026-01-01T10:00:00Z', end: '2026-01-01T11:00:00Z' };
const HOUR_BEFORE = { start: '2026-01-01T09:00:00Z', end: '2026-01-01T10:00:00Z' };

test('a result is stale when its window moved, unless somebody gave it one of its own', () => {
  const params = { window: { ...HOUR, start: '2026-01-01T10:00:00.000Z' }, baseline: HOUR_BEFORE };
  const asked = query('q1', { params, scoped: ['baseline', 'window'] });
  const at = (window, changes = {}) =>
    moved(state({ window, queries: { q1: { ...asked, ...changes } } }), 'q1');

  assert.deepEqual(at(HOUR), []);
  assert.deepEqual(at(HOUR_BEFORE), ['scope']);
  assert.deepEqual(at(null), ['scope']);
  assert.deepEqual(at(HOUR_BEFORE, { scoped: [] }), []);
  assert.deepEqual(at(HOUR_BEFORE, { scoped: undefined }), []); // of a server before this one
  const sql = { params: { window_end: HOUR.end }, scoped: ['window_end'] };
  assert.deepEqual([at(HOUR, sql), at(HOUR_BEFORE, sql)], [[], ['scope']]);
  assert.deepEqual(moved(state(), 'gone'), []);
  const { last } = readCell({ uid: 'c1', last: { ...LAST, query: 'q1' } });
  assert.deepEqual(
    [last.query, staleness(last, 'sha256:b', 3, ['scope'])],
    ['q1', ['source', 'scope']]
  );
});

test('a result is stale when the answer before it says something else now', () => {
  const ref = { id: 'latency.shift', version: 1, digest: 'sha256:t' };
  const first = query('q1', { cell: 'c1', template: ref, digest: 'sha256:1' });
  const child = query('q2', { cell: 'c2', parent: 'q1' });
  const again = { ...first, id: 'q3', at: '2026-01-01T00:00:09Z' };
  const now = changes =>
    moved(state({ queries: { q1: first, q2: child, q3: { ...again, ...changes } } }), 'q2');

  assert.deepEqual(now({}), []);
  assert.deepEqual(now({ digest: 'sha256:2' }), ['parent']);
  assert.deepEqual(now({ digest: 'sha256:2', cell: 'c9' }), []);
  assert.deepEqual(now({ digest: null, ok: false }), []);
});

test('an answer offers what it leads to, each question once, with the path', () => {
  const next = { template: 'errors.origin', title: 'Error origin', question: 'Where?' };
  const told = (query, service) => ({
    investigation: { query, template: 'latency.shift', next: [{ ...next, params: { service } }] }
  });
  const template = { id: 'latency.shift', version: 1, digest: 'sha256:t' };
  const queries = {
    abcdef12: query('abcdef12', { template }),
    fedcba98: query('fedcba98', { template, at: '2026-01-01T00:00:09Z' })
  };
  const found = proposals([told('abcdef12', 'cart'), told('fedcba98', 'pay')], queries);

  assert.deepEqual(
    found.map(each => [proposalLabel(each), each.follows]),
    [
      ['Error origin · cart', 'latency.shift#abcdef'],
      ['Error origin · pay', 'latency.shift']
    ]
  );
  assert.match(proposalHint(found[0]), /^Where\?\nservice = cart\n/);
  assert.equal(proposals([told('q1', 'cart'), told('q1', 'cart')], {}).length, 1);
  for (const wrong of [null, 'x', {}, { investigation: { query: 'q', next: [] } }]) {
    assert.deepEqual(proposals([wrong], {}), []);
  }
  const hostile = { query: 'q', template: 't', next: [null, 7, { template: 1, title: 'x' }] };
  assert.deepEqual(proposals([{ investigation: hostile }], {}), []);
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
