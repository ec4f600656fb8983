import { assert, integer, oneof, property, string, stringMatching } from 'fast-check'
import { test } from 'tap'
import { isVisible, plain, shortened } from '../../../plugins/openapi/text.ts'

test('markup becomes plain sentences on one line', async (t) => {
  const same = (text: string, expected: string): void => { t.equal(plain(text), expected) }
  same('List books', 'List books')
  same('## List books\n\n⚠️ _Only for **staff**_\n\nSee [the docs](https://example.com/docs).', 'List books. ⚠ Only for staff. See the docs.')
  same('<p>Lists <b>all</b> rows &amp; more.</p><script>alert(1)</script>', 'Lists all rows & more.')
  same('Send it:\n\n```\ncurl -X POST https://example.com/\n```\n\nThen wait.', 'Send it: Then wait.')
  same('Send it\n\n    curl -X POST x\n\nThen wait.', 'Send it. Then wait.')
  same('One of:\n\n- `a`\n- `b`\n* c\n1. d', 'One of: a. b. c. d')
  same('| a | b |\n|---|---|\n| 1 | 2 |', '| a | b | | 1 | 2 |')
  same('snake_case_name and `code_name` and __bold__', 'snake_case_name and code_name and bold')
  same('The <str:uid> of a <thing>, if 1 < 2', 'The {str:uid} of a {thing}, if 1 < 2')
  same('  a   b \r\n c\t', 'a b c')
  same('', '')
})

test('hosts are left out, and the paths behind them stay', async (t) => {
  t.equal(plain('GET http://django-internal:8000/api/books/?page=2'), 'GET /api/books/?page=2')
  t.equal(plain('At https://[::1]:8000/x or localhost:8000 or 127.0.0.1'), 'At /x or or')
  t.equal(plain('localhosted things'), 'localhosted things')
  t.equal(plain('See ftp://user:secret@example.com/file'), 'See /file')
})

test('what nobody sees is taken out', async (t) => {
  t.equal(plain('a\u200Bb\u202Ec\u{E0041}d\u0007e\uFEFFf\u00ADg'), 'abcd e fg')
  t.equal(plain('\u001B[31mred\u001B[0m'), 'red')
  t.equal(plain('a\uD800b'), 'ab')
  t.ok(isVisible('größe 名前'))
  t.notOk(isVisible('a\u2066b'))
})

test('no text is ever left with something invisible, a line break or a tag', async () => {
  assert(property(oneof(string({ unit: 'binary' }), stringMatching(/^[<>/a-z!\s`*_#\-\u200b\u202e]*$/)), (text) => {
    const cleaned = plain(text)
    return isVisible(cleaned) && !/[\r\n\t]/.test(cleaned) && !/<[a-z/!]/i.test(cleaned)
  }), { numRuns: 500 })
})

test('long texts are cut after a sentence, or else after a word', async (t) => {
  t.equal(shortened('Short.', 20), 'Short.')
  t.equal(shortened('A first sentence. A second one that is longer.', 30), 'A first sentence.')
  t.equal(shortened('Takes a list, e.g. of ids. More of it here.', 30), 'Takes a list, e.g. of ids.')
  t.equal(shortened('Takes several things, e.g. All of them together', 28), 'Takes several things, e.g.…')
  t.equal(shortened('words that go on and on and on', 20), 'words that go on…')
  t.equal(shortened('x'.repeat(50), 10), `${'x'.repeat(9)}…`)
})

test('no cut text is longer than asked for', async () => {
  assert(property(string({ maxLength: 400 }), integer({ min: 10, max: 300 }), (text, longest) => shortened(text, longest).length <= longest))
})

test('texts that are made to be slow are read in no time', async (t) => {
  for (const text of ['`'.repeat(100_000), '<!--'.repeat(50_000), '```\n'.repeat(50_000), '['.repeat(100_000), '    a\n'.repeat(50_000), '_a'.repeat(50_000), '|-'.repeat(50_000)]) t.type(plain(text), 'string')
})
