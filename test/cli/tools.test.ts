import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { z } from 'zod'

const root = fileURLToPath(new URL('../../', import.meta.url))
const document = (name: string): string => join(root, 'test/fixtures/openapi', name)

interface Ran { code: number, out: string, err: string }

/** Runs the command as a person would. */
async function run (...args: string[]): Promise<Ran> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'cli/tools.ts'), ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err })
    })
  })
}

const shape = z.strictObject({
  tools: z.array(z.looseObject({ name: z.string(), description: z.string(), inputSchema: z.looseObject({ type: z.literal('object') }) })),
  skipped: z.array(z.strictObject({ operation: z.string(), reason: z.string() })),
  tokens: z.strictObject({ list: z.int(), naive: z.int() })
})

async function printed (t: Test, ...args: string[]) {
  const { code, out, err } = await run(...args, '--json')
  t.equal(code, 0, err)
  return shape.parse(JSON.parse(out))
}

/** Makes a file in a folder of the test's. */
function file (folder: string, name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('with --json one object is printed: every operation as a tool or with a reason, and what the list costs', async (t) => {
  const reading = await printed(t, '--schema', document('given/objects-api.yaml'))
  t.equal(reading.tools.length, 9)
  t.equal(reading.skipped.length, 13)
  const all = await printed(t, '--schema', document('given/objects-api.yaml'), '--methods', 'all')
  t.equal(all.tools.length, 22)
  t.same(all.skipped, [])
  t.match(all.tools.find(({ name }) => name === 'object_create'), { inputSchema: { additionalProperties: false, required: ['type', 'record'] }, annotations: { readOnlyHint: false } })
})

test('the list of the largest given document costs at most 60 % of one that copies it, read-only or whole', async (t) => {
  for (const methods of ['GET', 'all']) {
    const { tokens } = await printed(t, '--schema', document('given/kobo-v2.yaml'), '--methods', methods)
    t.comment(`${methods}: ${tokens.list} of ${tokens.naive} tokens`)
    t.ok(tokens.list <= tokens.naive * 0.6, `${tokens.list} of ${tokens.naive}`)
  }
})

test('in search mode the tools that search are printed, the one that changes data only where that is allowed', async (t) => {
  const names = async (...args: string[]): Promise<string[]> => (await printed(t, '--schema', document('given/cvat.yml'), '--mode', 'search', ...args)).tools.map(({ name }) => name)
  t.same(await names(), ['search_operations', 'describe_operations', 'call_read_operation'])
  t.same(await names('--methods', 'all'), ['search_operations', 'describe_operations', 'call_read_operation', 'call_operation'])
})

test('without --json a table is printed, with tokens, what is left out and why', async (t) => {
  const { code, out, err } = await run('--schema', document('given/drf-spectacular-drf_nested_routers.yml'), '--methods', 'GET, POST /root/')
  t.equal(code, 0, err)
  t.match(out, /^tokens {2}tool +operation\n/)
  t.match(out, /\n +\d+ {2}root_list +GET \/root\/\n/)
  t.match(out, /2 left out: PUT is not among the allowed methods\n {2}PUT /)
  t.match(out, /tools cost about [\d,]+ tokens, \d+ % of the [\d,]+ of a list that copies the document\.\n$/)
  t.match((await run('--schema', document('given/cvat.yml'))).out, /copies the document\.\nThat is more than a server lists where TOOL_TOKEN_BUDGET is not set/, 'a server would not list so many')
  t.notMatch((await run('--schema', document('given/cvat.yml'), '--mode', 'search')).out, 'TOOL_TOKEN_BUDGET')
  const none = await run('--schema', document('synthetic/empty.yaml'))
  t.match(none, { code: 0, out: /^No tools\.\n/ })
})

test('an overlay changes what is printed, and warnings go to the other stream', async (t) => {
  const overlay = file(t.testdir(), 'overlay.yaml', 'tools: { root_list: { name: roots, description: Every root. }, root_retrieve: { hide: true } }')
  const { tools, skipped } = await printed(t, '--schema', document('given/drf-spectacular-drf_nested_routers.yml'), '--overlay', overlay)
  t.match(tools.find(({ name }) => name === 'roots'), { description: 'Every root.' })
  t.match(skipped.find(({ operation }) => operation === 'GET /root/{id}/'), { reason: /hidden by the overlay/ })
  const { err } = await run('--schema', document('given/objects-api.yaml'), '--json')
  t.match(err, /below \/api\/v2/)
})

test('the lock file is made, kept, and written only where something is new', async (t) => {
  const lock = join(t.testdir(), 'lock.json')
  const schema = document('given/drf-spectacular-drf_nested_routers.yml')
  await printed(t, '--schema', schema, '--lock', lock)
  const first = readFileSync(lock, 'utf8')
  t.match(JSON.parse(first), { version: 1, tools: { 'GET /root/': { name: 'root_list' } } })
  writeFileSync(lock, first.replace('"root_list"', '"roots"'))
  const { tools } = await printed(t, '--schema', schema, '--lock', lock)
  t.ok(tools.some(({ name }) => name === 'roots'))
  t.match(JSON.parse(readFileSync(lock, 'utf8')), { tools: { 'GET /root/': { name: 'roots' } } })
})

test('tools that are written as code are printed beside those of a document, which give way to them', async (t) => {
  const folder = t.testdir({ 'root-list.mjs': 'export default { name: "root_list", description: "Every root.", input: { type: "object" }, handler: () => "" }' })
  const schema = document('given/drf-spectacular-drf_nested_routers.yml')
  const { tools, skipped } = await printed(t, '--schema', schema, '--tools', folder, '--built-in')
  t.match(tools.filter(({ name }) => name === 'root_list'), [{ description: 'Every root.' }])
  t.ok(tools.some(({ name }) => name === 'get_opportunities'))
  t.match(skipped.find(({ operation }) => operation === 'GET /root/'), { reason: 'a tool of its name is written as code' })
  t.match((await run('--tools', folder)).out, /\n +\d+ {2}root_list +code\n\n1 tool costs about \d+ tokens\.\n$/)
})

test('approving some tools takes back nothing that the lock file has of others', async (t) => {
  const folder = t.testdir({ tools: { 'hello.mjs': 'export default { name: "hello", description: "Hello.", input: { type: "object" }, handler: () => "" }' } })
  const lock = join(folder, 'lock.json')
  const content = (): Record<string, unknown> => JSON.parse(readFileSync(lock, 'utf8'))
  await printed(t, '--tools', join(folder, 'tools'), '--lock', lock)
  const first = content()
  t.match(first, { version: 1, tools: {}, written: { hello: { text: /^sha256-/ } } })
  await printed(t, '--schema', document('given/drf-spectacular-drf_nested_routers.yml'), '--built-in', '--lock', lock)
  t.match(content(), { tools: { 'GET /root/': { name: 'root_list' } }, written: { ...Object(first.written), get_opportunities: {} } })
})

test('what cannot be read is told in a sentence, with exit code 1 and nothing on the output', async (t) => {
  const schema = document('given/drf-spectacular-fields.yml')
  const folder = t.testdir({ tools: { 'empty.mjs': '' } })
  const cases: ReadonlyArray<readonly [args: string[], message: RegExp]> = [
    [[], /One of --schema FILE, --tools FOLDER and --built-in is needed/],
    [['--schema', 'nowhere.yaml'], /nowhere\.yaml cannot be read/],
    [['--schema', join(root, 'package.json')], /neither "openapi" nor "swagger"/],
    [['--schema', file(folder, 'page.html', '<html>')], /page of HTML/],
    [['--schema', schema, '--schemes', 'x'], /Unknown option '--schemes'/],
    [['--schema', schema, 'more'], /more/],
    [['--tools', join(folder, 'nowhere')], /The catalog is not valid:\n {2}.*nowhere: /],
    [['--tools', join(folder, 'tools')], /empty\.mjs: it has no default export/],
    [['--schema', schema, '--mode', 'table'], /--mode: expected list or search, got "table"/],
    [['--schema', schema, '--methods', 'FETCH'], /expected a method or "all"/],
    [['--schema', schema, '--include', 'tag:'], /expected a method, a path/],
    [['--schema', schema, '--overlay', file(folder, 'overlay.yaml', 'tools: { allfield_list: { hide: true } }')], /"allfield_list" is no operation of the document; did you mean "allfields_list"\?/],
    [['--schema', schema, '--lock', file(folder, 'lock.json', '[]')], /The lock file is not valid: it: /],
    [['--schema', schema, '--lock', folder], /cannot be read/],
    [['--schema', schema, '--lock', join(folder, 'nowhere', 'lock.json')], /lock\.json cannot be written/]
  ]
  for (const [args, message] of cases) {
    const { code, out, err } = await run(...args, '--json')
    t.equal(code, 1, args.join(' '))
    t.equal(out, '')
    t.match(err, message)
    t.notMatch(err, /\n {4}at /, 'there is no stack')
  }
  t.match(await run('--help'), { code: 0, out: /--schema FILE/ })
})
