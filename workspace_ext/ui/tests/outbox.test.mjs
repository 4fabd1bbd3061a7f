import assert from 'node:assert/strict';
import test from 'node:test';
import './sources.mjs';

const { NO_ANSWER, RequestError } = await import('../src/api.ts');
const { Outbox } = await import('../src/outbox.ts');

test('what nobody answered is sent again under the id it had; all else under a new one', async () => {
  const outbox = new Outbox();
  const ids = [];
  const send = (words, code) =>
    outbox.send({ words }, async id => {
      ids.push(id);
      if (code) {
        throw new RequestError({ message: code, hint: '', code });
      }
    });

  assert.equal((await send('hm', NO_ANSWER)).code, NO_ANSWER);
  assert.equal((await send('hm', NO_ANSWER)).code, NO_ANSWER);
  assert.equal(await send('other'), null);
  assert.equal(await send('hm'), null);
  assert.equal(await send('hm'), null);
  assert.equal((await send('no', 'denied')).code, 'denied');
  await send('no');

  const [first, second, other, third, again, refused, later] = ids;
  assert.equal(first, second);
  assert.equal(first, third);
  assert.equal(new Set([first, other, again, refused, later]).size, 5);
});
