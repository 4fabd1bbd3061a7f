import assert from 'node:assert/strict';
import { test } from 'node:test';
import { param, template } from './samples.mjs';
import './sources.mjs';

const { call } = await import('../src/gallery/call.ts');
const { area, choices, closest, EVERYTHING, found, signals } =
  await import('../src/gallery/search.ts');
const { wrong } = await import('../src/gallery/validation.ts');
const { beginning, captured, carried, differing, NO_SCOPE, shown } =
  await import('../src/gallery/values.ts');

const HOUR = { start: '2023-01-30T11:00:00Z', end: '2023-01-30T12:00:00Z' };
const BEFORE = { start: '2023-01-30T10:00:00Z', end: '2023-01-30T11:00:00Z' };
const SCOPE = { window: HOUR, baseline: null, services: [] };
const ALL = template({
  params: [
    param('window', 'window'),
    param('baseline', 'window'),
    param('service', 'service'),
    param('quantile', 'float', { default: 0.95, min: 0.5, max: 0.99 }),
    param('least', 'int', { default: 10, min: 2 }),
    param('by', 'choice', { default: 'service', of: ['service', 'edge'] }),
    param('deep', 'bool', { default: false }),
    param('gap', 'duration', { default: '30s' }),
    param('text', 'string')
  ]
});
const named = Object.fromEntries(ALL.params.map(each => [each.name, each]));

test('a form shows what the broker would fill in', () => {
  assert.deepEqual(shown(named.window, SCOPE, {}), HOUR);
  assert.deepEqual(shown(named.baseline, SCOPE, {}), BEFORE);
  assert.deepEqual(shown(named.baseline, { ...SCOPE, baseline: HOUR }, {}), HOUR);
  assert.deepEqual(shown(named.baseline, SCOPE, { window: BEFORE }).end, BEFORE.start);
  assert.deepEqual(shown(named.window, NO_SCOPE, {}), { start: '', end: '' });
  assert.equal(shown(named.quantile, SCOPE, {}), '0.95');
  assert.equal(shown(named.service, SCOPE, {}), '');
});

test('a service that must be given begins with the only one of the scope', () => {
  const needs = template({ params: [param('service', 'service', { required: true })] });

  assert.deepEqual(beginning(needs, { ...SCOPE, services: ['cart'] }), { service: 'cart' });
  assert.deepEqual(beginning(needs, { ...SCOPE, services: ['cart', 'web'] }), {});
  assert.deepEqual(beginning(ALL, { ...SCOPE, services: ['cart'] }), {});
});

test('only what differs from template and scope is written', () => {
  const same = { window: { ...HOUR }, quantile: '0.950', least: '', gap: '0.5m', deep: 'false' };
  assert.deepEqual(differing(ALL, SCOPE, same), {});
  assert.equal(call(ALL, SCOPE, same), 'investigation.run("latency.shift")');

  assert.equal(
    call(ALL, SCOPE, { service: 'cart', least: '007' }),
    'investigation.run("latency.shift", service="cart", least=7)'
  );
  assert.equal(
    call(ALL, SCOPE, { window: BEFORE, quantile: '.5', by: 'edge', deep: 'true', gap: ' 500ms' }),
    [
      'investigation.run(',
      '    "latency.shift",',
      '    window="2023-01-30T10:00:00Z/2023-01-30T11:00:00Z",',
      '    quantile=0.5,',
      '    by="edge",',
      '    deep=True,',
      '    gap="500ms",',
      ')'
    ].join('\n')
  );
  assert.equal(
    call(ALL, SCOPE, {}, '%load_ext workspace_kernel'),
    '%load_ext workspace_kernel\ninvestigation.run("latency.shift")'
  );
});

test('a question that follows from an answer says so, last', () => {
  assert.equal(
    call(ALL, SCOPE, { service: 'cart' }, '', 'triage.overview#1f3a'),
    [
      'investigation.run(',
      '    "latency.shift",',
      '    service="cart",',
      '    follows="triage.overview#1f3a",',
      ')'
    ].join('\n')
  );
});

test('texts are quoted as Python wants them, and no name breaks the code', () => {
  const written = text => call(ALL, SCOPE, { text });

  assert.equal(
    written('say "hi"\\'),
    'investigation.run("latency.shift", text="say \\"hi\\"\\\\")'
  );
  assert.equal(written('a\nb'), 'investigation.run("latency.shift", text="a\\nb")');
  assert.equal(written('Größe ✓'), 'investigation.run("latency.shift", text="Größe ✓")');
  assert.equal(
    call(template({ params: [param('from', 'string')] }), SCOPE, { from: 'a' }),
    'investigation.run("latency.shift", **{"from": "a"})'
  );
});

test('a question that was asked fills the form as it was asked', () => {
  const params = {
    window: HOUR,
    baseline: HOUR,
    service: null,
    quantile: '0.95',
    least: 3,
    by: 'edge',
    deep: false,
    gap: 90,
    text: 'x',
    gone: 1
  };

  assert.deepEqual(captured(ALL, params, SCOPE), {
    baseline: HOUR,
    least: '3',
    by: 'edge',
    gap: '90s',
    text: 'x'
  });
});

test('the next question takes over what this one was given', () => {
  const from = template({ params: [param('service', 'service'), param('window', 'window')] });
  const params = { to: '$service', when: '$window', by: "'edge'", least: 3, name: 'operation' };

  assert.deepEqual(
    carried(
      from,
      template({ params: Object.keys(params).map(name => param(name, 'string')) }),
      params,
      { service: 'cart' }
    ),
    { to: 'cart', by: 'edge', least: '3' }
  );
  assert.deepEqual(carried(from, from, params, {}), {});
});

test('a form is checked by the rules of the header', () => {
  const said = (given, scope = SCOPE) => wrong(ALL, scope, given, ['cart', 'web-cart']);

  assert.deepEqual(said({}), {});
  assert.deepEqual(said({ quantile: '0.99', least: '2', gap: '1.5h', service: 'cart' }), {});
  for (const [name, value, what] of [
    ['quantile', '1', /above 0.99/],
    ['quantile', '0x1', /not a number/],
    ['quantile', 'Infinity', /not a number/],
    ['least', '1', /below 2/],
    ['least', '2.5', /whole number/],
    ['by', 'node', /service, edge/],
    ['deep', 'perhaps', /yes or no/],
    ['gap', 'soon', /not a duration/],
    ['gap', '0s', /not a duration/],
    ['service', 'car', /Did you mean cart, web-cart/],
    ['service', 'zoo', /No service/],
    ['window', { start: HOUR.start, end: '' }, /Both/],
    ['window', { start: HOUR.end, end: HOUR.start }, /after the start/]
  ]) {
    assert.match(said({ [name]: value })[name], what);
  }
  assert.match(said({}, NO_SCOPE).window, /no window/);
  const needs = template({ params: [param('text', 'string', { required: true })] });
  assert.match(wrong(needs, SCOPE, { text: ' ' }, []).text, /needed/);
  assert.deepEqual(wrong(ALL, SCOPE, { service: 'any' }, []), {}); // nothing is known of services
});

test('a search finds by question, area and signal, the best first', () => {
  const shift = template();
  const origin = template({
    id: 'errors.origin',
    title: 'Error origin',
    question: 'Where do failures begin?',
    requires: ['spans.status', 'logs.body']
  });
  const old = template({ id: 'latency.old', title: 'Latency, old', status: 'deprecated' });
  const all = [old, origin, shift];
  const ids = search => found(all, { ...EVERYTHING, ...search }).map(each => each.id);

  assert.deepEqual(ids({}), ['errors.origin', 'latency.shift', 'latency.old']);
  assert.deepEqual(ids({ words: 'latency' }), ['latency.shift', 'latency.old']);
  assert.deepEqual(ids({ words: 'FAILURES where' }), ['errors.origin']);
  assert.deepEqual(ids({ words: 'failures slower' }), []);
  assert.deepEqual(ids({ words: 'a+b(' }), []);
  assert.deepEqual(ids({ words: 'Where do failures begin?' }), ['errors.origin']);
  assert.deepEqual(ids({ signal: 'logs' }), ['errors.origin']);
  assert.deepEqual(ids({ area: 'latency' }), ['latency.shift', 'latency.old']);
  const near = words => closest(all, { ...EVERYTHING, words }).map(each => each.id);
  assert.deepEqual(near('where is the latency to blame?'), [
    'errors.origin', // nobody else says “where”
    'latency.shift',
    'latency.old'
  ]);
  assert.deepEqual(near('a+b( is to'), []);
  assert.deepEqual(choices(all, area), ['errors', 'latency']);
  assert.deepEqual(choices(all, signals), ['logs', 'spans']);
});
