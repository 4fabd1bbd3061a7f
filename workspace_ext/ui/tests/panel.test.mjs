import assert from 'node:assert/strict';
import { test } from 'node:test';
import { query, state, step } from './samples.mjs';

process.env.TZ = 'Europe/Berlin';
const { clock, elapsed, following, read, written } = await import('../src/agenda.ts');
const { around, compared, hasData, newestRecord, span, wrong, zoneName } =
  await import('../src/beginning/window.ts');
const {
  draftOf,
  read: readDraft,
  wishOf,
  written: writtenDraft
} = await import('../src/beginning/draft.ts');
const { atOnce, board } = await import('../src/board.ts');
const { collector, curl, doorsOf, openCommand } = await import('../src/data/sending.ts');
const { size, sources } = await import('../src/data/sources.ts');
const { peopleIn } = await import('../src/presence.ts');
const { authors, filtered, timeline } = await import('../src/timeline.ts');

const WINDOW = { start: '2026-03-29T00:30:00Z', end: '2026-03-29T01:30:00Z' };

test('a quick choice ends with its minute', () => {
  const now = new Date('2026-01-01T12:00:01Z');

  assert.deepEqual(span('15m', now), {
    start: '2026-01-01T11:46:00Z',
    end: '2026-01-01T12:01:00Z'
  });
  assert.equal(span('none', now), null);
});

test('a window around an alert begins before it', () => {
  const alert = { time: '2026-01-01T03:10:00Z', end_time: null };

  assert.deepEqual(around(alert), { start: '2026-01-01T03:00:00Z', end: '2026-01-01T03:30:00Z' });
  assert.equal(around({ ...alert, end_time: '2026-01-01T04:00:00Z' }).end, '2026-01-01T04:00:00Z');
});

test('a baseline is as long as its window', () => {
  assert.deepEqual(compared(WINDOW, 'before'), {
    start: '2026-03-28T23:30:00Z',
    end: '2026-03-29T00:30:00Z'
  });
  assert.equal(compared(WINDOW, 'week').start, '2026-03-22T00:30:00Z');
  assert.equal(compared(WINDOW, 'none'), null);
  const short = { start: '2026-01-01T00:00:01Z', end: '2026-01-01T00:00:01.500Z' };
  assert.equal(compared(short, 'before').start, '2026-01-01T00:00:00.500Z');
});

test('the clock is named with what it is ahead', () => {
  assert.equal(zoneName(new Date(WINDOW.start)), 'Europe/Berlin, UTC+01:00');
});

test('a wrong window is named, and one without data', () => {
  const signals = {
    spans: { rows: 1, first_time: '2026-03-29T01:00:00Z', last_time: '2026-03-29T01:10:00Z' },
    logs: { rows: 0, first_time: null, last_time: null }
  };

  assert.equal(wrong(WINDOW), '');
  assert.match(wrong({ start: WINDOW.end, end: WINDOW.start }), /ends before/);
  assert.match(wrong(null), /both times/);
  assert.equal(hasData(WINDOW, signals), true);
  assert.equal(hasData({ ...WINDOW, end: '2026-03-29T00:59:00Z' }, signals), false);
  assert.equal(newestRecord(signals), '2026-03-29T01:10:00Z');
  assert.equal(newestRecord({}), null);
});

test('what was filled in is there again after a reload', () => {
  const [then, now] = ['2026-01-01T12:00:00Z', '2026-01-01T12:30:00Z'].map(at => new Date(at));
  const draft = { ...draftOf({}, then), title: 'Checkout fails', services: ['a'], typed: 'b' };
  const again = readDraft(writtenDraft(draft), now);

  assert.deepEqual(again, { ...draft, end: now });
  assert.deepEqual(wishOf(again, null).services, ['a', 'b']);
  assert.equal(wishOf(again, null).window.end, '2026-01-01T12:30:00Z');
});

test('an agenda is read as it is written, and items keep their ids', () => {
  const items = [
    { id: 'a', title: 'Impact', minutes: 5 },
    { id: 'b', title: 'Phase 2', minutes: 20 }
  ];
  const agenda = { items, current: 'a', since: '2026-01-01T00:00:00Z', by: 'user:alice' };

  assert.deepEqual(
    read(written(items), items, () => 'new'),
    items
  );
  assert.deepEqual(
    read(' Handover \n\nPhase 2 30', items, () => 'new'),
    [
      { id: 'new', title: 'Handover', minutes: 10 },
      { id: 'b', title: 'Phase 2', minutes: 30 }
    ]
  );
  assert.equal(following(agenda).id, 'b');
  assert.equal(following({ ...agenda, current: 'b' }), null);
  assert.equal(following({ ...agenda, current: null }).id, 'a');
  assert.equal(clock(elapsed(agenda, new Date('2026-01-01T00:12:03Z'))), '12:03');
  assert.equal(elapsed(agenda, new Date('2025-01-01T00:00:00Z')), 0);
});

test('the board has its lanes in order, and a reworded claim once', () => {
  const claim = (id, changes) => ({
    id,
    at: id,
    state: 'proposed',
    superseded_by: null,
    ...changes
  });
  const lanes = board({
    a: claim('a', { superseded_by: 'b' }),
    b: claim('b'),
    c: claim('c', { state: 'refuted' }),
    d: claim('d', { state: 'supported' })
  });
  const filled = lanes.filter(lane => lane.cards.length > 0);

  assert.deepEqual(
    filled.map(lane => [lane.state, lane.cards.map(card => card.id).join()]),
    [
      ['supported', 'd'],
      ['proposed', 'b'],
      ['refuted', 'c']
    ]
  );
});

test('people are told once, me first', () => {
  const user = (username, display_name) => ({ user: { username, display_name, color: 'red' } });
  const states = new Map([
    [1, user('bob', 'Bob')],
    [2, user('alice', 'Alice')],
    [3, user('bob', 'Bob')],
    [4, {}],
    [5, null]
  ]);

  assert.deepEqual(
    peopleIn(states, 3).map(({ name, isMe }) => [name, isMe]),
    [
      ['bob', true],
      ['alice', false]
    ]
  );
});

test('what was said beside any run, and what telemetry tells, are lines of their own', () => {
  const by = 'user:bob';
  const happening = {
    time: '2026-01-01T00:00:02Z',
    end_time: null,
    kind: 'deploy',
    title: 'v2',
    service: 'cart',
    source: null,
    severity: null,
    state: null
  };
  const action = { id: 'x', text: 'Roll back', owner: '', done: false, by, cell: null };
  const story = timeline(
    state({
      steps: { r1: step('r1', { started: '2026-01-01T00:00:01Z', queries: ['q1'] }) },
      queries: { q1: query('q1') },
      actions: { x: { ...action, at: '2026-01-01T00:00:03Z' } },
      pinned: { by, at: '2026-01-01T00:00:04Z', why: 'the deploy' }
    }),
    [happening]
  );

  assert.deepEqual(
    story.map(entry => entry.kinds.join()),
    ['said', 'said,action', 'telemetry', 'run,answer']
  );
  assert.equal(story[0].sayings[0].text, '1: the deploy');
  assert.deepEqual(authors(story), ['user:alice', 'user:bob']);
  assert.equal(filtered(story, { kind: 'answer', person: null }).length, 1);
  assert.equal(filtered(story, { kind: null, person: 'user:bob' }).length, 2);
  assert.equal(filtered(story, { kind: 'answer', person: 'user:bob' }).length, 0);
});

test('two thousand steps are sorted out in a moment', t => {
  const steps = {};
  const queries = {};
  const notes = {};
  for (let number = 0; number < 2000; number += 1) {
    const started = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString();
    const ended = new Date(Date.UTC(2026, 0, 1) + number * 1000 + 500).toISOString();
    steps[number] = step(String(number), { started, ended, cell: `c${number % 50}` });
    queries[number] = query(String(number), { cell: `c${number % 50}` });
    steps[number].queries = [String(number)];
    notes[number] = {
      id: String(number),
      kind: 'note',
      text: 'x',
      at: started,
      cell: null,
      by: 'b'
    };
  }
  const long = state({ steps, queries, notes });
  const cost = () => {
    const before = process.cpuUsage();
    const found = timeline(long).length;
    const { user } = process.cpuUsage(before);
    assert.equal(found, 4000);
    return user / 1000;
  };
  cost();
  const milliseconds = Math.min(cost(), cost(), cost());
  t.diagnostic(`timeline of 2,000 steps: ${milliseconds.toFixed(1)} ms of processor time`);
});

test('how to send data names the real addresses, and asks for the token where one is wanted', () => {
  const overview = doors => ({ status: { doors } });
  const closed = doorsOf(overview({}));
  const open = doorsOf(
    overview({
      otlp: { address: '127.0.0.1:4400', open_to: 'whoever has the ingest token' },
      'otlp-grpc': { address: '127.0.0.1:4401', open_to: 'whoever has the ingest token' }
    })
  );

  assert.deepEqual(closed, { http: null, grpc: null, needsToken: false });
  assert.deepEqual(open, {
    http: 'http://127.0.0.1:4400',
    grpc: '127.0.0.1:4401',
    needsToken: true
  });
  assert.match(collector(open), /endpoint: http:\/\/127\.0\.0\.1:4400\n {4}headers:/);
  assert.match(collector(closed), /endpoint: http:\/\/127\.0\.0\.1:4318\n/);
  const sent = curl(open, new Date(0));
  assert.match(sent, /4400\/v1\/logs/);
  JSON.parse(/-d '(.*)'$/.exec(sent)[1]);
  assert.equal(openCommand("/a b/it's"), "jupyter investigation broker --store '/a b/it'\\''s'");
});

test('batches of one name are one source', () => {
  const batch = (name, changes) => ({
    name,
    format: 'otlp',
    committed_at: '2026-01-01T00:00:02Z',
    last_time: '2026-01-01T00:00:01Z',
    records: 3,
    quarantined: 1,
    warnings: ['late'],
    ...changes
  });
  const [cart, other] = sources([
    batch('cart'),
    batch('cart', { last_time: '2026-01-01T00:00:09Z', warnings: ['late', 'ahead'] }),
    batch('other', { last_time: null })
  ]);

  assert.deepEqual([cart.records, cart.quarantined], [6, 2]);
  assert.deepEqual([cart.newest, cart.warnings], ['2026-01-01T00:00:09Z', ['late', 'ahead']]);
  assert.equal(other.newest, null);
  assert.deepEqual([size(999), size(1500), size(25e9)], ['999 B', '1.5 kB', '25 GB']);
});

test('a claim that one run stated and judged was moved at once', () => {
  const run = { cell: 'c1', started: '2026-01-01T00:00:00Z', ended: '2026-01-01T00:00:09Z' };
  const known = state({ steps: { r1: step('r1', run) } });
  const by = 'user:alice';
  const claim = {
    by,
    cell: 'c1',
    at: '2026-01-01T00:00:01Z',
    judged: { by, at: '2026-01-01T00:00:08Z' }
  };

  assert.ok(atOnce(claim, known));
  assert.ok(!atOnce({ ...claim, judged: null }, known));
  assert.ok(!atOnce({ ...claim, cell: null }, known));
  assert.ok(!atOnce({ ...claim, judged: { by: 'user:bob', at: claim.at } }, known));
  assert.ok(!atOnce({ ...claim, judged: { by, at: '2026-01-01T00:01:00Z' } }, known));
});
