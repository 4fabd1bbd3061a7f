import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.TZ = 'Europe/Berlin';
const {
  actorName,
  duration,
  localTime,
  localMinutes,
  localWindow,
  rowCount,
  sentence,
  showTimesIn,
  utcTime,
  utcWindow
} = await import('../src/format.ts');

test('a moment of today is a clock time, any other has its date', () => {
  const now = new Date('2026-03-01T12:00:00Z');

  assert.equal(localTime('2026-03-01T07:05:09Z', now), '08:05:09');
  assert.equal(localTime('2026-02-28T07:05:09Z', now), '28 Feb 2026 08:05:09');
});

test('UTC is written out', () => {
  assert.equal(utcTime('2022-08-22T03:51:07.123456Z'), '2022-08-22 03:51:07 UTC');
});

test('a window names its day once', () => {
  const window = { start: '2022-08-22T03:51:00Z', end: '2022-08-22T03:55:00Z' };

  assert.equal(localWindow(window), '22 Aug 2022 05:51–05:55\u00a0CEST');
  assert.equal(
    localWindow({ ...window, end: '2022-08-22T22:10:00Z' }),
    '22 Aug 2022 05:51 – 23 Aug 2022 00:10\u00a0CEST'
  );
  assert.equal(
    localWindow({ ...window, start: '2022-08-22T03:50:30Z' }),
    '22 Aug 2022 05:50:30–05:55:00\u00a0CEST'
  );
  assert.equal(
    localMinutes({ start: '2022-08-22T03:51:09.5Z', end: '2022-08-22T03:55:58Z' }),
    localWindow(window)
  );
  assert.equal(utcWindow(window), '2022-08-22 03:51:00 UTC – 2022-08-22 03:55:00 UTC');
});

test('durations keep two figures that matter', () => {
  const from = '2026-01-01T00:00:00Z';

  assert.equal(duration(from, '2026-01-01T00:00:00.042Z'), '42 ms');
  assert.equal(duration(from, '2026-01-01T00:00:02.25Z'), '2.3 s');
  assert.equal(duration(from, '2026-01-01T00:02:05Z'), '2 min 5 s');
  assert.equal(duration('2026-01-01T00:00:01Z', from), '0 ms');
});

test('actors show their name, and kernels that they are kernels', () => {
  assert.equal(actorName('user:alice'), 'alice');
  assert.equal(actorName('user:a:b'), 'a:b');
  assert.equal(actorName('kernel:3f2a'), 'kernel');
  assert.equal(actorName('bare'), 'bare');
});

test('a hint begins with a capital', () => {
  assert.equal(sentence('stop it'), 'Stop it');
  assert.equal(sentence(''), '');
});

test('counts agree with their noun', () => {
  assert.equal(rowCount(0), '0 rows');
  assert.equal(rowCount(1), '1 row');
  assert.equal(rowCount(1204), '1,204 rows');
});

test('who chose UTC reads UTC', () => {
  const now = new Date('2026-03-01T23:30:00Z');
  const window = { start: '2026-03-01T22:00:00Z', end: '2026-03-01T23:30:00Z' };
  showTimesIn('UTC');

  assert.equal(localTime('2026-03-01T07:05:09Z', now), '07:05:09');
  assert.equal(localWindow(window), '1 Mar 2026 22:00–23:30\u00a0UTC');

  showTimesIn('local');
  assert.equal(localWindow(window), '1 Mar 2026 23:00 – 2 Mar 2026 00:30\u00a0CET');
});
