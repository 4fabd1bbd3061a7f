import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowCount } from '../src/format.ts';
import { DOMAIN, speak, trans } from '../src/translation.ts';

test('without a language pack the strings are English', () => {
  assert.equal(trans.__('Go to cell %1', 3), 'Go to cell 3');
  assert.equal(trans._n('%1 piece', '%1 pieces', 1), '1 piece');
  assert.equal(trans._n('%1 piece', '%1 pieces', 2), '2 pieces');
  assert.equal(trans.__('%1 % confident', 80), '80 % confident');
});

test('a language pack is asked for our bundle and then speaks', () => {
  const german = {
    __: text => `de:${text}`,
    _n: (one, many, n, ...args) => `de:${n === 1 ? one : many} ${n} ${args.join(' ')}`
  };
  speak({ load: domain => (domain === DOMAIN ? german : null) });

  assert.equal(trans.__('Review'), 'de:Review');
  assert.equal(rowCount(1204), 'de:%2 rows 1204 1,204');
});
