import assert from 'node:assert/strict';
import { test } from 'node:test';
import './sources.mjs';

const { clockName, fromClock, toClock } = await import('../src/clock.ts');

test('a moment survives its way through a control, by either clock', () => {
  for (const zone of ['UTC', 'local']) {
    for (const time of ['2023-01-30T11:59:00Z', '2023-07-30T23:59:59.5Z']) {
      const shown = toClock(time, zone);
      assert.equal(Date.parse(fromClock(shown, zone)), Date.parse(time));
    }
  }
  assert.equal(toClock('2023-01-30T11:59:00+01:00', 'UTC'), '2023-01-30T10:59:00');
  assert.equal(fromClock('2023-01-30T10:59', 'UTC'), '2023-01-30T10:59:00Z');
  assert.equal(clockName('UTC'), 'UTC');
});

test('what is no moment is none', () => {
  assert.equal(toClock('', 'UTC'), '');
  assert.equal(toClock('yesterday', 'local'), '');
  assert.equal(fromClock('', 'local'), '');
  assert.equal(fromClock('2023-13-01T00:00', 'UTC'), '');
});
