import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.TZ = 'Europe/Berlin';
const { fromClock, toClock } = await import('../src/clock.ts');
const { showTimesIn } = await import('../src/format.ts');

test('a moment survives its way through a control, by either clock', () => {
  for (const zone of ['local', 'UTC']) {
    showTimesIn(zone);
    for (const time of ['2023-01-30T11:59:00Z', '2023-07-30T23:59:59.5Z']) {
      assert.equal(Date.parse(fromClock(toClock(time))), Date.parse(time));
    }
  }
  assert.equal(toClock('2023-01-30T11:59:00+01:00'), '2023-01-30T10:59:00');
  assert.equal(fromClock('2023-01-30T10:59'), '2023-01-30T10:59:00Z');
});

test('times are told by the local clock, also over the change to summer time', () => {
  showTimesIn('local');

  assert.equal(toClock('2026-03-29T00:30:00Z'), '2026-03-29T01:30:00');
  assert.equal(toClock('2026-03-29T01:30:00Z'), '2026-03-29T03:30:00');
  assert.equal(fromClock('2026-03-29T03:30:00'), '2026-03-29T01:30:00Z');
});

test('what is no moment is none', () => {
  for (const zone of ['local', 'UTC']) {
    showTimesIn(zone);
    assert.deepEqual([toClock(''), toClock('yesterday')], ['', '']);
    assert.deepEqual([fromClock(''), fromClock('2023-13-01T00:00')], ['', '']);
  }
});
