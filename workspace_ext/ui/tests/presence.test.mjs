import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Presence } from '../src/presence.ts';

test('who comes is told at once who is there already, and only then', async () => {
  const told = [];
  let change = () => undefined;
  const awareness = {
    clientID: 1,
    getStates: () => new Map(),
    getLocalState: () => ({ user: { username: 'alice' } }),
    setLocalState: state => told.push(state),
    on: (_, changed) => (change = changed),
    off: () => (change = () => undefined)
  };
  let drawn = 0;
  const panel = { context: { ready: Promise.resolve() }, model: { sharedModel: { awareness } } };
  const presence = new Presence(panel, () => (drawn += 1));
  await panel.context.ready;

  change({ added: [2] });
  assert.deepEqual(told, [{ user: { username: 'alice' } }]);
  change({ added: [] });
  change({ added: [1] });
  assert.equal(told.length, 1);
  assert.equal(drawn, 4); // with the first time

  presence.dispose();
  change({ added: [3] });
  assert.equal(told.length, 1);
});
