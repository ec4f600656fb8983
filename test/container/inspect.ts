import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/*
 * Checks an image that has been built: `node test/container/inspect.ts MANIFEST ROOT`, where MANIFEST is what
 * `buildah inspect` printed and ROOT the folder with the image's files.
 */

const inspected = z.object({
  Docker: z.object({
    config: z.object({
      User: z.string(),
      WorkingDir: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()),
      ExposedPorts: z.record(z.string(), z.unknown()),
      Volumes: z.record(z.string(), z.unknown()),
      Labels: z.record(z.string(), z.string()),
      Healthcheck: z.object({ Test: z.array(z.string()), Interval: z.int(), Timeout: z.int(), StartPeriod: z.int(), Retries: z.int() })
    })
  })
})

const lock = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().default(false), optional: z.boolean().default(false) }))
})

const second = 1_000_000_000
const uid = 1000

const [manifest, root] = process.argv.slice(2)
if (manifest === undefined || root === undefined) throw new Error('usage: inspect.ts MANIFEST ROOT')
const { config } = inspected.parse(JSON.parse(readFileSync(manifest, 'utf8'))).Docker

// [attack 87] [requirement 41] it runs as a user without rights, and starts without a shell
assert.equal(config.User, '1000:1000')
assert.deepEqual(config.Entrypoint ?? [], [])
assert.equal(config.Cmd[0], 'node')
assert.equal(config.WorkingDir, '/app')
assert.deepEqual(Object.keys(config.ExposedPorts), ['8080/tcp'])
assert.deepEqual(Object.keys(config.Volumes), ['/tmp/mcp_server'])
assert.deepEqual(config.Healthcheck, {
  Test: ['CMD', 'node', 'dist/healthcheck.js'],
  Interval: 30 * second,
  Timeout: 10 * second,
  StartPeriod: 5 * second,
  Retries: 3
})
assert.equal(config.Labels['org.opencontainers.image.title'], 'Django MCP Server')

const environment = new Map(config.Env.map((entry) => {
  const [name = '', ...value] = entry.split('=')
  return [name, value.join('=')]
}))
assert.equal(environment.get('NODE_ENV'), 'production')
assert.equal(environment.get('PORT'), '8080')
// The longest DRAIN_SECONDS and DJANGO_TIMEOUT, and 5 seconds.
assert.equal(Number(environment.get('FASTIFY_CLOSE_GRACE_DELAY')), (300 + 300 + 5) * 1000)

// Nothing else: no .env, no sources, no tests.
assert.deepEqual(readdirSync(join(root, 'app')).toSorted(), ['LICENSE', 'custom', 'dist', 'node_modules', 'package.json', 'sbom.cdx.json'])
assert.ok(existsSync(join(root, 'app/dist/app.js')))
assert.deepEqual(['demo', 'scripts', 'test'].filter((name) => existsSync(join(root, 'app/dist', name))), [])

const { packages } = lock.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')))
const development = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev)
assert.ok(development.length > 0)
assert.deepEqual(development.map(([path]) => path).filter((path) => existsSync(join(root, 'app', path))), [])
const production = Object.entries(packages).filter(([path, { dev, optional }]) => path !== '' && !dev && !optional)
assert.deepEqual(production.map(([path]) => path).filter((path) => !existsSync(join(root, 'app', path))), [])

const tmp = statSync(join(root, 'tmp/mcp_server'))
assert.deepEqual({ uid: tmp.uid, gid: tmp.gid, mode: tmp.mode & 0o777 }, { uid, gid: uid, mode: 0o700 })
const app = statSync(join(root, 'app'))
assert.deepEqual({ uid: app.uid, mode: app.mode & 0o022 }, { uid: 0, mode: 0 })

// [attack 77] [requirement 41] the bill of materials has what the lockfile ships and nothing else
const bill = z.object({ bomFormat: z.literal('CycloneDX'), components: z.array(z.object({ name: z.string(), version: z.string(), purl: z.string() })) })
const { components } = bill.parse(JSON.parse(readFileSync(join(root, 'app/sbom.cdx.json'), 'utf8')))
const names = new Set(components.map(({ name }) => name))
const shipped = new Set(production.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)))
assert.deepEqual([...shipped].filter((name) => !names.has(name)), [])
assert.deepEqual(development.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)).filter((name) => names.has(name) && !shipped.has(name)), [])

/** Every file of the image, links left alone. */
function * walk (folder: string): Generator<{ path: string, mode: number, uid: number, isFile: boolean }> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() && !entry.isFile()) continue
    const path = join(folder, entry.name)
    const { mode, uid } = lstatSync(path)
    yield { path, mode, uid, isFile: entry.isFile() }
    if (entry.isDirectory()) yield * walk(path)
  }
}

const files = [...walk(root)].filter(({ path }) => !/^\/(proc|sys|dev)(\/|$)/.test(path.slice(root.length)))
assert.ok(files.length > 1000)
// [attack 87] [requirement 41] no program gives more rights than it is started with
assert.deepEqual(files.filter(({ mode, isFile }) => isFile && (mode & 0o6000) !== 0).map(({ path }) => path), [])
// [attack 87] [requirement 41] the user of the service can write nothing but its folder for temporary files
const writable = files.filter(({ mode, uid: owner }) => (owner === uid && (mode & 0o200) !== 0) || ((mode & 0o002) !== 0 && (mode & 0o1000) === 0))
assert.deepEqual(writable.map(({ path }) => path.slice(root.length)).filter((path) => path !== '/tmp/mcp_server' && !path.startsWith('/home/node')), [])
/** Programs of the image by their names, links among them. */
const programs = new Set(['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/local/bin', 'usr/local/sbin', 'opt']
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder))))
assert.ok(programs.has('node') && programs.has('ls'))
// [attack 87] no package manager is left to fetch anything with
assert.deepEqual(['npm', 'npx', 'corepack', 'yarn', 'yarnpkg', 'pnpm', 'apt', 'apt-get', 'dpkg', 'apk'].filter((name) => programs.has(name)), [])
assert.equal(existsSync(join(root, 'usr/local/lib/node_modules')), false)
// [attack 87] [requirement 41] no shell is left
assert.deepEqual([...programs].filter((name) => /^(r?bash|sh|dash|ash|busybox|[ckz]sh|fish|tcsh)$/.test(name)), [])
