// Writes src/types.ts from the protocol's JSON Schema; with --check only says whether it is current.
import { readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';

const SCHEMA = new URL('../../protocol/schemas/messages.schema.json', import.meta.url);
const TYPES = new URL('../src/types.ts', import.meta.url);
const BANNER =
  '// Generated from protocol/schemas/messages.schema.json by `npm run types`: do not edit.';

const schema = JSON.parse(await readFile(SCHEMA, 'utf8'));
const compiled = await compile(schema, 'Messages', {
  additionalProperties: false,
  bannerComment: BANNER,
  enableConstEnums: false,
  format: true,
  style: { printWidth: 100, singleQuote: true },
  unreachableDefinitions: true
});
const generated = compiled.replace(
  /^ \*\n \* This interface was referenced by .*\n \* via the .*\n/gm,
  ''
);

if (!process.argv.includes('--check')) {
  await writeFile(TYPES, generated);
} else if ((await readFile(TYPES, 'utf8')) !== generated) {
  console.error('src/types.ts is not what the protocol says: run `npm run types`');
  process.exitCode = 1;
}
