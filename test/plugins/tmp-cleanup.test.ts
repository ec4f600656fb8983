import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, lutimesSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { loggingOptions } from '../../plugins/logging/index.ts'
import type * as cleanup from '../../plugins/tmp-cleanup.ts'
import tmpCleanup, { removeOlderThan, type TmpCleanupOptions } from '../../plugins/tmp-cleanup.ts'
import { LogLines } from '../helper.ts'

const hour = 3_600_000

/** Makes a file, link or folder look as old as this. */
function age (path: string, hours: number): void {
  const when = new Date(Date.now() - hours * hour)
  if (lstatSync(path).isSymbolicLink()) lutimesSync(path, when, when)
  else utimesSync(path, when, when)
}

function write (path: string, hours: number, content = 'content'): void {
  writeFileSync(path, content)
  age(path, hours)
}

async function build (t: Test, options: TmpCleanupOptions) {
  const log = new LogLines()
  const app = Fastify(loggingOptions({ level: 'INFO', format: 'json', environment: 'test', service: 's', version: '1', destination: log }))
  t.teardown(() => app.close())
  await app.register(tmpCleanup, options)
  return { app, log }
}

t.test('what is old is removed, what is young is kept', async (t) => {
  const directory = t.testdir({})
  write(join(directory, 'old'), 25, '12345')
  write(join(directory, 'older'), 10_000, '123')
  write(join(directory, 'young'), 23)
  write(join(directory, '.hidden'), 25, '')
  write(join(directory, 'with\nbreak'), 25, '')
  const { app, log } = await build(t, { directory })
  t.same(await app.cleanTmp(), { removed: 4, bytes: 8, failed: [] })
  t.same(readdirSync(directory), ['young'])
  t.match(log.records.at(-1), { level: 'INFO', logger: 'tmp-cleanup', message: 'removed old temporary files', directory, removed: 4, bytes: 8 })

  log.lines.length = 0
  t.same(await app.cleanTmp(), { removed: 0, bytes: 0, failed: [] })
  t.equal(log.text, '', 'nothing done is not worth a line')
})

t.test('a socket is kept, however old', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-sockets-'))
  const server = createServer().listen(join(directory, 's'))
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    rmSync(directory, { recursive: true })
  })
  age(join(directory, 's'), 100)
  const { app } = await build(t, { directory })
  t.same(await app.cleanTmp(), { removed: 0, bytes: 0, failed: [] })
  t.same(readdirSync(directory), ['s'])
})

t.test('the age is an option', async (t) => {
  const directory = t.testdir({})
  write(join(directory, 'a'), 3)
  write(join(directory, 'b'), 1)
  const { app } = await build(t, { directory, maxAgeHours: 2 })
  t.match(await app.cleanTmp(), { removed: 1 })
  t.same(readdirSync(directory), ['b'])
})

t.test('folders are removed when they are old and empty', async (t) => {
  const directory = t.testdir({ old: { deep: {} }, young: {}, mixed: {} })
  write(join(directory, 'old/deep/file'), 30)
  write(join(directory, 'mixed/old'), 30)
  write(join(directory, 'mixed/young'), 1)
  for (const folder of ['old/deep', 'old', 'mixed']) age(join(directory, folder), 30)
  const { app } = await build(t, { directory })
  t.match(await app.cleanTmp(), { removed: 4, failed: [] })
  t.same(readdirSync(directory).toSorted(), ['mixed', 'young'])
  t.same(readdirSync(join(directory, 'mixed')), ['young'])
  t.ok(existsSync(directory), 'the folder itself stays')
})

t.test('a link is removed and what it points to is kept', async (t) => {
  const directory = t.testdir({ precious: 'precious', folder: { precious: 'precious' }, tmp: {} })
  const tmp = join(directory, 'tmp')
  for (const [name, target] of [['file', join(directory, 'precious')], ['folder', join(directory, 'folder')], ['dangling', join(directory, 'nothing')], ['up', '..'], ['itself', 'itself']] as const) {
    symlinkSync(target, join(tmp, name))
    age(join(tmp, name), 30)
  }
  age(join(directory, 'precious'), 30)
  age(join(directory, 'folder/precious'), 30)
  const { app } = await build(t, { directory: tmp })
  t.match(await app.cleanTmp(), { removed: 5, failed: [] })
  t.same(readdirSync(tmp), [])
  t.equal(readFileSync(join(directory, 'precious'), 'utf8'), 'precious')
  t.equal(readFileSync(join(directory, 'folder/precious'), 'utf8'), 'precious')
})

t.test('a young link to an old folder is kept, and the folder is not entered', async (t) => {
  const directory = t.testdir({ folder: { precious: 'precious' }, tmp: {} })
  age(join(directory, 'folder/precious'), 30)
  age(join(directory, 'folder'), 30)
  symlinkSync(join(directory, 'folder'), join(directory, 'tmp/link'))
  const { app } = await build(t, { directory: join(directory, 'tmp') })
  t.match(await app.cleanTmp(), { removed: 0, failed: [] })
  t.ok(existsSync(join(directory, 'tmp/link/precious')))
})

/** Makes a folder whose absolute path is longer than the system takes, so that even root cannot remove what is in it. */
function unreachable (t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'tmp-cleanup-'))
  const deep = ['d'.repeat(200), '/'].join('').repeat(12)
  execFileSync('sh', ['-c', `cd "$1" && mkdir -p "$2" && cd "$2" && mkdir -p "$2"`, 'sh', directory, deep])
  // rm walks by relative paths, which are short enough; what tap uses for its own folders does not.
  t.teardown(() => { execFileSync('rm', ['-rf', directory]) })
  return directory
}

t.test('what cannot be removed is reported, and the rest is removed all the same', async (t) => {
  const directory = unreachable(t)
  write(join(directory, 'a'), 30)
  write(join(directory, 'z'), 30)
  const { app, log } = await build(t, { directory })
  const { removed, failed } = await app.cleanTmp()
  t.equal(removed, 2)
  t.equal(failed.length, 1)
  t.match(failed, [{ path: new RegExp(`^${directory}/d{200}/`), reason: 'ENAMETOOLONG' }])
  t.notOk(existsSync(join(directory, 'a')) || existsSync(join(directory, 'z')))
  t.match(log.records.at(-1), { level: 'WARNING', message: 'some old temporary files could not be removed', failures: 1, failed: [{ reason: 'ENAMETOOLONG' }] })
})

t.test('a file that refuses to be removed does not keep the others', async (t) => {
  const directory = t.testdir({})
  for (const name of ['a', 'b', 'c']) write(join(directory, name), 30)
  const { unlink, ...fs } = await import('node:fs/promises')
  const { removeOlderThan } = await t.mockImport<typeof cleanup>('../../plugins/tmp-cleanup.ts', {
    'node:fs/promises': {
      ...fs,
      async unlink (path: string) {
        if (path.endsWith('b')) throw Object.assign(new Error('busy'), { code: 'EBUSY' })
        await unlink(path)
      }
    }
  })
  t.same(await removeOlderThan(directory, Date.now()), { removed: 2, bytes: 14, failed: [{ path: join(directory, 'b'), reason: 'EBUSY' }] })
  t.same(readdirSync(directory), ['b'])
})

t.test('a failure without a code is reported in its own words', async (t) => {
  const directory = t.testdir({})
  write(join(directory, 'a'), 30)
  const { unlink: _, ...fs } = await import('node:fs/promises')
  const { removeOlderThan } = await t.mockImport<typeof cleanup>('../../plugins/tmp-cleanup.ts', {
    'node:fs/promises': { ...fs, unlink: () => Promise.reject(new Error('no code')) }
  })
  t.match(await removeOlderThan(directory, Date.now()), { removed: 0, failed: [{ reason: 'Error: no code' }] })
})

t.test('the folder is made, for this user only', async (t) => {
  const directory = join(t.testdir({}), 'new/tmp')
  await build(t, { directory })
  t.equal(statSync(directory).mode & 0o777, 0o700)
})

t.test('a folder that is a link is refused', async (t) => {
  const base = t.testdir({ precious: { file: 'precious' } })
  symlinkSync(join(base, 'precious'), join(base, 'tmp'))
  age(join(base, 'precious/file'), 30)
  for (const directory of [`${base}/tmp`, `${base}/tmp/`, `${base}/tmp/.`, `${base}/precious/../tmp//`]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(Promise.resolve(app.register(tmpCleanup, { directory })), { message: /cannot be used: it is a symbolic link or a file/ }, directory)
  }
  t.ok(existsSync(join(base, 'precious/file')))
})

t.test('a folder that is not its own is refused', async (t) => {
  const table: Array<[string, string]> = [
    ['/', 'it is the root of the file system'], ['.', 'it is the working directory'],
    [homedir(), 'it is the home folder'], [tmpdir(), 'it is the system\'s folder for temporary files'], ['/var/tmp/', 'it is the system\'s folder for temporary files'],
    ['/var', 'it holds the system\'s folder for temporary files']
  ]
  for (const [directory, why] of table) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(Promise.resolve(app.register(tmpCleanup, { directory })), { message: `tmp-cleanup: directory: expected a folder of its own, got ${JSON.stringify(directory)}; ${why}` }, directory)
  }
})

t.test('a folder that became a link later is not cleaned', async (t) => {
  const base = t.testdir({ precious: { file: 'precious' }, tmp: {} })
  const directory = join(base, 'tmp')
  age(join(base, 'precious/file'), 30)
  const { app } = await build(t, { directory })
  execFileSync('rmdir', [directory])
  symlinkSync(join(base, 'precious'), directory)
  await t.rejects(app.cleanTmp(), { message: /symbolic link/ })
  t.ok(existsSync(join(base, 'precious/file')))
})

t.test('a folder that is a file, or that cannot be made, is refused by name', async (t) => {
  const base = t.testdir({ file: '' })
  for (const directory of [join(base, 'file'), join(base, 'file/tmp')]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(Promise.resolve(app.register(tmpCleanup, { directory })), { message: `The folder for temporary files, ${directory}, cannot be used` })
  }
})

t.test('the folder is cleaned now and then', async (t) => {
  const directory = t.testdir({})
  const { app, log } = await build(t, { directory, intervalHours: 10 / hour })
  await app.ready()
  write(join(directory, 'old'), 30)
  for (let tries = 0; tries < 500 && existsSync(join(directory, 'old')); tries += 1) await sleep(10)
  t.notOk(existsSync(join(directory, 'old')))
  await app.close()
  t.match(log.records, [{ message: 'removed old temporary files', removed: 1 }])
  write(join(directory, 'old'), 30)
  await sleep(50)
  t.ok(existsSync(join(directory, 'old')), 'not any more after close')
})

t.test('a cleanup that fails altogether is logged and tried again', async (t) => {
  const base = t.testdir({ tmp: {} })
  const directory = join(base, 'tmp')
  const { app, log } = await build(t, { directory, intervalHours: 10 / hour })
  execFileSync('rmdir', [directory])
  await app.ready()
  for (let tries = 0; tries < 500 && log.lines.length < 2; tries += 1) await sleep(10)
  t.match(log.records.slice(0, 2), [1, 2].map(() => ({ level: 'ERROR', logger: 'tmp-cleanup', message: 'cleaning up temporary files failed', exception: { message: /ENOENT/ } })))
  await t.rejects(app.cleanTmp(), { code: 'ENOENT' })
  mkdirSync(directory)
  t.match(await app.cleanTmp(), { removed: 0 })
})

t.test('two cleanups at the same time are one', async (t) => {
  const directory = t.testdir({})
  write(join(directory, 'old'), 30)
  const { app } = await build(t, { directory })
  const [first, second] = await Promise.all([app.cleanTmp(), app.cleanTmp()])
  t.equal(first, second)
  t.match(first, { removed: 1, failed: [] })
})

t.test('closing waits for a cleanup that runs', async (t) => {
  const directory = t.testdir({})
  for (let index = 0; index < 200; index += 1) write(join(directory, String(index)), 30)
  const { app } = await build(t, { directory })
  await app.ready()
  const cleanup = app.cleanTmp()
  await app.close()
  t.same(readdirSync(directory), [])
  t.match(await cleanup, { removed: 200 })
})

t.test('the boundary is not old', async (t) => {
  const directory = t.testdir({})
  const path = join(directory, 'a')
  write(path, 30)
  const { mtimeMs } = lstatSync(path)
  t.match(await removeOlderThan(directory, mtimeMs), { removed: 0 })
  t.match(await removeOlderThan(directory, mtimeMs + 1), { removed: 1 })
})
