import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { z } from 'zod'

// npm has to fetch what is not in its cache.
t.setTimeout(300_000)

const root = fileURLToPath(new URL('../..', import.meta.url))
const consumer = fileURLToPath(new URL('consumer', import.meta.url))

const dependencies = z.record(z.string(), z.string())
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  exports: z.record(z.string(), z.unknown()),
  dependencies,
  peerDependencies: dependencies
})

function readManifest (folder: string) {
  return manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
}

/** The version of a package that the repository itself has, which npm has in its cache therefore. */
function installed (name: string): string {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')))
  return `${name}@${version}`
}

// Programs run on the Node that runs this test.
const environment = { ...process.env, PATH: [dirname(process.execPath), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) }

/** Runs a program and gives what it printed; fails with all of that where the program fails. */
async function run (cwd: string, program: string, ...args: string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    // tap puts its own loader into the NODE_OPTIONS of whatever a test starts, and TypeScript does not run under it.
    execFile('env', ['-u', 'NODE_OPTIONS', program, ...args], { cwd, env: environment, maxBuffer: 16_777_216 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error }))
    })
  })
}

// Outside the repository: from within it, an import that the package does not declare would be found all the same.
const folder = mkdtempSync(join(tmpdir(), 'package-test-'))
t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))

// Builds, too.
await run(root, 'npm', 'pack', '--pack-destination', folder)
const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '')
const manifest = readManifest(root)

await run(
  folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts',
  tarball, installed('fastify'), installed('zod'), installed('@types/node')
)
const home = join(folder, 'node_modules', manifest.name)

t.test('the package has what it needs and nothing else', async (t) => {
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
  const around = new Set(['package.json', 'LICENSE', 'README.md', '.env.example'])
  t.strictSame(files.filter((name) => !around.has(name) && !/^dist\/.+(?:\.js|\.d\.ts)$/.test(name)), [])
  t.ok(files.includes('LICENSE'))
  t.ok(files.includes('.env.example'))
  t.strictSame(files.filter((name) => /^dist\/(?:test|demo|scripts)\//.test(name)), [])
})

t.test('every package that is imported is declared, and every declared one is imported', async (t) => {
  const imported = new Set<string>()
  for (const entry of readdirSync(join(home, 'dist'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8')
    for (const [, specifier = ''] of text.matchAll(/(?:\bfrom |\bimport |\bimport\()['"]([^'".][^'"]*)['"]/g)) {
      const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
      if (!name.startsWith('node:') && !builtinModules.includes(name)) imported.add(name)
    }
  }
  // A program: `fastify start` runs it.
  imported.add('fastify-cli')
  t.strictSame([...imported].toSorted(), Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).toSorted())
})

t.test('there is one Fastify, which the types of all plugins extend', async (t) => {
  const { dependencies: found } = z.object({ dependencies: z.record(z.string(), z.unknown()) }).parse(JSON.parse(await run(folder, 'npm', 'ls', 'fastify', '--json')))
  const versions = new Set(JSON.stringify(found).match(/"fastify":\{"version":"[^"]+"/g))
  t.equal(versions.size, 1)
})

t.test('every plugin works alone in an app of someone else, and the app with all of them', async (t) => {
  copyFileSync(join(consumer, 'plugins.js'), join(folder, 'plugins.js'))
  // The app of all plugins writes its audit lines there too.
  const used = (await run(folder, process.execPath, 'plugins.js')).trim().split('\n').filter((line) => !line.startsWith('{'))
  t.strictSame(used.toSorted(), Object.keys(manifest.exports).filter((subpath) => subpath === '.' || subpath.startsWith('./plugins/')).toSorted())
})

t.test('types survive the build, and refuse what is wrong', async (t) => {
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true
  }
  copyFileSync(join(consumer, 'types.ts.txt'), join(folder, 'types.ts'))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }))
  await t.resolves(run(folder, process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'))
})

t.test('publint finds nothing', async (t) => {
  await t.resolves(run(root, 'publint', '--strict', tarball))
})

t.test('types resolve in every way that an ES module can be imported', async (t) => {
  await t.resolves(run(root, 'attw', '--profile', 'esm-only', tarball))
})
