// Every word that reaches the page comes through `trans`: else no language pack can say it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import ts from 'typescript';

const SOURCES = new URL('../src/', import.meta.url);
/** What is read or heard, as an attribute, a property of an option, or a field that is set. */
const SAID = new Set([
  ...['title', 'alt', 'placeholder', 'label', 'aria-label', 'aria-description', 'aria-valuetext'],
  ...['caption', 'okLabel', 'text', 'textContent', 'innerText', 'innerHTML', 'ariaLabel', 'message']
]);
const CODE = new Set(['code', 'pre']);
const WORD = /\p{L}{2}/u;

/** The texts among what an expression may become; calls, as of `trans`, answer for themselves. */
function texts(node) {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    return [node];
  }
  if (ts.isTemplateExpression(node)) {
    return [node.head, ...node.templateSpans.map(span => span.literal)];
  }
  if (ts.isConditionalExpression(node)) {
    return [...texts(node.whenTrue), ...texts(node.whenFalse)];
  }
  if (ts.isBinaryExpression(node)) {
    const joins = ['+', '&&', '||', '??'].includes(node.operatorToken.getText());
    return joins ? [...texts(node.left), ...texts(node.right)] : [];
  }
  if (ts.isJsxExpression(node) || ts.isParenthesizedExpression(node)) {
    return node.expression ? texts(node.expression) : [];
  }
  return [];
}

/** What a node shows of itself, whether or not it may. */
function shown(node) {
  if (ts.isJsxText(node)) {
    return CODE.has(node.parent.openingElement?.tagName.getText()) ? [] : [node];
  }
  if (ts.isJsxExpression(node)) {
    return ts.isJsxAttribute(node.parent) ? [] : texts(node);
  }
  if (ts.isJsxAttribute(node)) {
    return SAID.has(node.name.getText()) && node.initializer ? texts(node.initializer) : [];
  }
  if (ts.isPropertyAssignment(node)) {
    return SAID.has(node.name.getText()) ? texts(node.initializer) : [];
  }
  if (ts.isBinaryExpression(node) && ts.isPropertyAccessExpression(node.left)) {
    const sets = node.operatorToken.kind === ts.SyntaxKind.EqualsToken;
    return sets && SAID.has(node.left.name.getText()) ? texts(node.right) : [];
  }
  if (ts.isCallExpression(node) && /\.setAttribute$/.test(node.expression.getText())) {
    const [name, value] = node.arguments;
    return SAID.has(name?.text) && value ? texts(value) : [];
  }
  return [];
}

function untranslated(name, source) {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found = [];
  const visit = node => {
    for (const text of shown(node).filter(each => WORD.test(each.text))) {
      const { line } = file.getLineAndCharacterOfPosition(text.getStart());
      found.push(`${name}:${line + 1} ${text.text.trim()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test('no word reaches the page but through the translator', () => {
  const files = readdirSync(SOURCES, { recursive: true }).filter(name => /\.tsx?$/.test(name));

  assert.ok(files.length > 50);
  const found = files.flatMap(name =>
    untranslated(name, readFileSync(new URL(name, SOURCES), 'utf8'))
  );
  assert.deepEqual(found, []);
});

test('what would slip through is found', () => {
  const slips = [
    '<p>Hello there</p>',
    '<p>{isOld ? "older data" : trans.__("now")}</p>',
    '<input placeholder="Reason" />',
    '<b title={`${n} rows`} />',
    'node.textContent = "Next";',
    'node.setAttribute("aria-label", "Close");',
    'commands.addCommand(id, { label: "Show" });'
  ];

  assert.deepEqual(
    slips.filter(slip => untranslated('slip.tsx', slip).length !== 1),
    []
  );
  const fine =
    '<p title={trans.__("Why")}>{trans.__("Yes")} · <code>investigation.run()</code></p>';
  assert.deepEqual(untranslated('fine.tsx', fine), []);
});
