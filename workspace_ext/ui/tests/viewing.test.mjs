import assert from 'node:assert/strict';
import { test } from 'node:test';
import { free, hold, isBarred, meOfPage, withoutStart } from '../src/viewing.ts';

const VIEWER = { name: 'carol', display_name: 'carol', role: 'viewer', may: ['read', 'comment'] };
const LEAD = { ...VIEWER, role: 'lead', may: ['read', 'comment', 'edit', 'run'] };

test('the page says who its user is, or nothing that makes sense', () => {
  assert.deepEqual(meOfPage(JSON.stringify(VIEWER)), VIEWER);
  for (const wrong of ['', 'null', '7', '{}', '{"may": 3}', '{"may"']) {
    assert.equal(meOfPage(wrong), null);
  }
});

test('a viewer is barred; a lead is not, nor who is not known', () => {
  assert.deepEqual(
    [VIEWER, LEAD, null].map(me => isBarred(me, 'edit')),
    [true, false, false]
  );
});

test('a kernel is joined, and none is started', () => {
  const asked = withoutStart({ name: 'investigation', shouldStart: true });

  assert.deepEqual(asked, { name: 'investigation', shouldStart: false, canStart: false });
});

test('a cell that is held writes nothing into its metadata, and is free again', () => {
  const written = [];
  const cell = {
    syncEditable: true,
    set readOnly(value) {
      this.syncEditable && written.push(value);
    }
  };
  hold(cell);
  free(cell);

  assert.deepEqual(written, []);
  assert.equal(cell.syncEditable, true);
});
