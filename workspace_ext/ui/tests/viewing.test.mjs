import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  free,
  freeze,
  hold,
  isBarred,
  isRefusal,
  meOfPage,
  thaw,
  withoutStart
} from '../src/viewing.ts';

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

test('a refusal is known, as JupyterLab throws it and as others do', () => {
  const refused = { status: 403 };

  assert.deepEqual([refused, { response: refused }].map(isRefusal), [true, true]);
  const others = [null, undefined, 'no', new Error('x'), { status: 500 }, { response: null }];
  assert.deepEqual(others.filter(isRefusal), []);
});

test('a kernel is joined, and none is started', () => {
  const asked = withoutStart({ name: 'investigation', shouldStart: true });

  assert.deepEqual(asked, { name: 'investigation', shouldStart: false, canStart: false });
});

class Shared {
  done = 0;
  transact(change) {
    change();
  }
}

test('a frozen model takes no change of this browser, until it is thawed', () => {
  const model = new Shared();
  const change = () => model.transact(() => (model.done += 1));
  thaw(model); // one that never was frozen stays as it is
  change();
  freeze(model);
  freeze(model);
  change();
  assert.equal(model.done, 1);
  thaw(model);
  change();
  assert.equal(model.done, 2);
});

test('a cell that is held writes nothing into its metadata, and is free again', () => {
  const written = [];
  const cell = {
    model: { sharedModel: new Shared() },
    syncEditable: true,
    set readOnly(value) {
      this.syncEditable && written.push(value);
    }
  };
  hold(cell);
  cell.model.sharedModel.transact(() => assert.fail('changed'));
  free(cell);

  assert.deepEqual(written, []);
  assert.equal(cell.syncEditable, true);
});
