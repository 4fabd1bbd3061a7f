import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outlastLogins } from '../src/login.ts';

const KERNEL = 'http://here:8888/api/kernels/k1';

function settingsThat(answer) {
  const settings = { baseUrl: 'http://here:8888/', fetch: async () => answer };
  outlastLogins(settings);
  return settings;
}

function answer(status, body, url = KERNEL) {
  const response = new Response(JSON.stringify(body), { status });
  Object.defineProperty(response, 'url', { value: url });
  response.clone = () => answer(status, body, url);
  return response;
}

test('a kernel that may not be asked about is not dead but out of reach', async () => {
  for (const refused of [answer(403, { message: 'Forbidden' }), answer(401, null)]) {
    await assert.rejects(settingsThat(refused).fetch(KERNEL), TypeError);
  }
});

test('all other answers are what they are', async () => {
  const viewer = { error: { code: 'forbidden', message: 'you are a viewer here', hint: 'ask' } };
  const others = [
    answer(200, { id: 'k1' }),
    answer(404, null),
    answer(403, viewer),
    answer(403, { message: 'Forbidden' }, 'http://here:8888/api/contents')
  ];

  for (const other of others) {
    const settings = settingsThat(other);
    assert.equal((await settings.fetch(other.url)).status, other.status);
  }
});
