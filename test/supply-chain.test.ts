import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { z } from 'zod'

const root = fileURLToPath(new URL('..', import.meta.url))

const lockSchema = z.object({
  packages: z.record(z.string(), z.looseObject({
    version: z.string().optional(),
    integrity: z.string().optional(),
    resolved: z.string().optional(),
    license: z.string().optional(),
    dev: z.boolean().default(false),
    optional: z.boolean().default(false),
    link: z.boolean().default(false),
    hasInstallScript: z.boolean().default(false)
  }))
})
const manifestSchema = z.object({ allowScripts: z.record(z.string(), z.boolean()), dependencies: z.record(z.string(), z.string()), devDependencies: z.record(z.string(), z.string()) })

function readJson (name: string): unknown {
  return JSON.parse(readFileSync(join(root, name), 'utf8'))
}

const lock = lockSchema.parse(readJson('package-lock.json'))
const manifest = manifestSchema.parse(readJson('package.json'))
const packages = Object.entries(lock.packages).filter(([path]) => path !== '').map(([path, entry]) => Object.assign(entry, { path, name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length) }))

/** The lowest version without the hole that is named. */
const floors: Array<[name: string, version: string, why: string]> = [
  ['fast-jwt', '6.3.6', 'public keys taken for secrets, an empty key, crit, caches that mix up tokens'],
  ['fastify', '5.12.1', 'addresses that a client makes up behind a counted number of proxies; bodies that slip past their content type'],
  ['@fastify/jwt', '10.0.0', 'needs the sound fast-jwt'],
  ['jose', '6.0.0', 'decompression without a bound, in versions long gone'],
  ['@modelcontextprotocol/sdk', '1.26.0', 'answers of one client to another; templates of URIs that run for ever'],
  ['ajv', '8.18.0', 'patterns taken from data'],
  ['qs', '6.14.1', 'lists without a bound'],
  ['path-to-regexp', '8.0.0', 'paths that run for ever'],
  ['body-parser', '2.2.1', 'encodings that take long'],
  ['undici', '6.23.0', 'chains of encodings without a bound'],
  ['find-my-way', '9.0.0', 'paths that run for ever'],
  ['secure-json-parse', '4.0.0', 'prototypes'],
  ['js-yaml', '4.1.1', 'prototypes in merged keys']
]

function numbers (version: string): number[] {
  return (version.split('-')[0] ?? '').split('.').map(Number)
}

function isAtLeast (version: string, floor: string): boolean {
  const [given, least] = [numbers(version), numbers(floor)]
  for (const [index, part] of least.entries()) {
    const own = given[index] ?? 0
    if (own !== part) return own > part
  }
  // One before a release comes before it.
  return !version.includes('-')
}

t.test('versions are compared by their numbers', async (t) => {
  for (const [version, floor] of [['1.2.3', '1.2.3'], ['1.2.10', '1.2.9'], ['2.0.0', '1.99.99'], ['1.10.0', '1.9.0']] as const) t.ok(isAtLeast(version, floor), `${version} ${floor}`)
  for (const [version, floor] of [['1.2.3', '1.2.4'], ['1.9.9', '1.10.0'], ['0.9.0', '1.0.0'], ['1.0.0-rc.1', '1.0.0']] as const) t.notOk(isAtLeast(version, floor), `${version} ${floor}`)
})

t.test('[attack 86] [requirement 41] no package of the lockfile is older than a hole that is known', async (t) => {
  for (const [name, floor, why] of floors) {
    const found = packages.filter((entry) => entry.name === name)
    t.ok(found.length > 0, `${name} is there: otherwise its floor goes`)
    for (const { path, version = '' } of found) t.ok(isAtLeast(version, floor), `${path} ${version} is at least ${floor}: ${why}`)
  }
})

t.test('[attack 86] [requirement 41] nothing runs when it is installed but what is known to', async (t) => {
  const allowed = Object.entries(manifest.allowScripts).filter(([, yes]) => yes).map(([name]) => name)
  t.strictSame(packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name), allowed)
  t.strictSame(packages.filter(({ hasInstallScript, dev }) => hasInstallScript && !dev), [], 'and nothing in production')
  t.match(readFileSync(join(root, 'Dockerfile'), 'utf8').match(/npm ci[^\n]*/g), [/--ignore-scripts/, /--ignore-scripts/])
})

t.test('[attack 86] [requirement 41] everything is locked to its content and comes from the registry', async (t) => {
  // Programs for other machines that only lint; npm leaves out what it has not fetched.
  const withoutContent = packages.filter(({ integrity }) => integrity === undefined)
  t.strictSame(withoutContent.filter(({ name, dev, optional }) => !(dev && optional && name.startsWith('@oxlint'))), [])
  for (const { path, integrity } of packages) if (integrity !== undefined) t.match(integrity, /^sha512-/, path)
  t.strictSame(packages.filter(({ resolved, link }) => link || /^(git|file|http:)/.test(resolved ?? '')), [])
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) t.match(range, /^[\^~]?\d/, `${name} is a range of versions`)
})

t.test('what is shipped has licences that allow it', async (t) => {
  const good = /^(MIT|ISC|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|PSF-2\.0|0BSD|Unlicense|CC0-1\.0|BlueOak-1\.0\.0|\(MIT OR CC0-1\.0\))$/
  t.strictSame(packages.filter(({ dev, license }) => !dev && !good.test(license ?? '')).map(({ path, license }) => `${path}: ${license}`), [])
})
