import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import t from 'tap'
import { ConfigError, configSchema, loadConfig } from '../config.ts'
import { singleIssuer } from '../config/issuers.ts'
import { between, run } from '../scripts/generated.ts'
import { envExample, generated, tables, variables, type Variable } from '../scripts/write-config-docs.ts'
import { apiKey, secret } from './helper.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const example = readFileSync(join(root, '.env.example'), 'utf8')
const real = { DJANGO_BASE_URL: 'http://django:8000', DJANGO_API_KEY: apiKey, JWT_SECRET: secret }

/** The text with values of its own for some variables. */
function filled (text: string, values: Record<string, string>): string {
  return Object.entries(values).reduce((filledSoFar, [name, value]) => filledSoFar.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${value}`), text)
}

function problemsOf (environment: Record<string, unknown>): string[] {
  try {
    loadConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ variable }) => variable)
    throw error
  }
}

const variable: Variable = { name: 'A_NAME', group: 'A', description: 'Says something.', expected: 'a | or b', default: undefined, required: false }

t.test('what is generated from the schema is up to date: otherwise npm run docs', async (t) => {
  for (const { path, current, wanted } of generated()) t.equal(current, wanted, path)
})

t.test('every variable is in both files, once', async (t) => {
  const names = ['CONFIG_FILE', ...Object.keys(configSchema.shape)]
  t.strictSame([...example.matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name), names)
  t.strictSame([...readFileSync(join(root, 'docs/configuration.md'), 'utf8').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name), names)
})

t.test('.env.example is refused as it stands, since its secrets are known to everyone', async (t) => {
  t.strictSame(problemsOf(parseEnv(example)).toSorted(), ['DJANGO_API_KEY', 'JWT_SECRET'])
  t.match(parseEnv(example), { DJANGO_API_KEY: '', JWT_SECRET: /openssl rand/ })
})

t.test('.env.example is accepted with real values for what is required', async (t) => {
  t.strictSame(loadConfig(parseEnv(filled(example, real))).config, loadConfig(real).config)
})

t.test('lines that are commented out show the defaults, and examples that are accepted', async (t) => {
  const all = parseEnv(filled(example, real).replace(/^# (?!CONFIG_FILE)([A-Z][A-Z_]+=)/gm, '$1'))
  t.equal(Object.keys(all).length, Object.keys(configSchema.shape).length)
  // Tokens are verified in one way only.
  const withoutAny = Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'ISSUERS' && !singleIssuer.some((single) => single === name)))
  const pick = (...names: string[]) => Object.fromEntries(names.map((name) => [name, all[name]]))
  for (const way of [
    pick('JWT_SECRET', 'JWT_ISSUER'), pick('JWT_ISSUER', 'JWT_JWKS_URL', 'JWT_ALGORITHM', 'TOKEN_PROFILE'), pick('ISSUERS'),
    pick('JWT_ISSUER', 'INTROSPECTION_URL', 'INTROSPECTION_CLIENT_ID', 'INTROSPECTION_CLIENT_SECRET', 'TOKEN_PROFILE')
  ]) loadConfig({ ...withoutAny, ...way })
  const { config } = loadConfig({ ...withoutAny, ...pick('JWT_SECRET', 'JWT_ISSUER') })
  const defaults = loadConfig(real).config
  for (const { name, default: value } of variables()) {
    if (value !== undefined) t.strictSame(Reflect.get(config, name), Reflect.get(defaults, name), name)
  }
})

t.test('what is required is what a start without any configuration asks for', async (t) => {
  t.strictSame(variables().flatMap(({ name, required }) => required ? [name] : []), Object.keys(real))
})

t.test('a group that comes back later is one group, and a long description is broken into lines', async (t) => {
  const description = 'word '.repeat(40).trim()
  const text = envExample([{ ...variable, description }, { ...variable, name: 'B_NAME', group: 'B' }, { ...variable, name: 'C_NAME', default: '' }])
  t.strictSame(text.match(/^# ---- .+$/gm), ['# ---- A ----', '# ---- B ----'])
  t.ok(text.split('\n').every((line) => line.length <= 110))
  t.ok(text.indexOf('C_NAME') < text.indexOf('B_NAME'))
})

t.test('a bar in a text does not end a cell, and an empty default is called so', async (t) => {
  t.match(tables([variable, { ...variable, name: 'B_NAME', default: '' }]), '| `A_NAME` | not set | a \\| or b | Says something. |\n| `B_NAME` | empty |')
})

t.test('what is generated takes the place of what stands between its markers, and needs these', async (t) => {
  const page = 'before <!-- name --> old <!-- /name --> after\n'
  t.equal(between(page, 'name', 'new'), 'before <!-- name -->\n\nnew\n\n<!-- /name --> after\n')
  t.equal(between(between(page, 'name', 'new'), 'name', 'new'), between(page, 'name', 'new'))
  t.throws(() => between('no markers', 'name', 'new'), /<!-- name -->/)
  t.throws(() => between('<!-- /name --><!-- name -->', 'name', 'new'), /<!-- name -->/)
})

t.test('only stale files are written, and none when they are only checked', async (t) => {
  const folder = t.testdir({ fresh: 'a', stale: 'b' })
  const files = [{ path: join(folder, 'fresh'), current: 'a', wanted: 'a' }, { path: join(folder, 'stale'), current: 'b', wanted: 'c' }]
  const lines: string[] = []
  const say = (line: string): void => { lines.push(line) }
  t.equal(run(['--check'], files, say), 1)
  t.equal(readFileSync(join(folder, 'stale'), 'utf8'), 'b')
  t.equal(run([], files, say), 0)
  t.equal(readFileSync(join(folder, 'stale'), 'utf8'), 'c')
  t.strictSame(lines, [`${join(folder, 'stale')} is stale: npm run docs\n`, `${join(folder, 'stale')} is written\n`])
  t.equal(run(['--check'], files.slice(0, 1), say), 0)
  t.throws(() => run(['--chekc'], files, say), TypeError)
})

t.test('as a program', async (t) => {
  const start = (folder: string, ...args: string[]) => spawnSync(process.execPath, [join(folder, 'scripts/write-config-docs.ts'), ...args], { encoding: 'utf8' })
  t.match(start(root, '--check'), { status: 0, stderr: '' })

  const copy = t.testdir()
  for (const name of ['package.json', 'checks', 'config', 'config.ts', 'version.ts', 'plugins/openapi/select.ts', 'scripts/generated.ts', 'scripts/write-config-docs.ts', 'docs/configuration.md', '.env.example']) cpSync(join(root, name), join(copy, name), { recursive: true })
  rmSync(join(copy, '.env.example'))
  writeFileSync(join(copy, 'docs/configuration.md'), '<!-- variables --><!-- /variables -->\n')
  t.match(start(copy, '--check'), { status: 1, stderr: /\.env\.example is stale.*\n.*configuration\.md is stale/ })
  t.match(start(copy), { status: 0, stderr: /\.env\.example is written/ })
  t.equal(readFileSync(join(copy, '.env.example'), 'utf8'), example)
  t.match(start(copy, '--check'), { status: 0, stderr: '' })
})
