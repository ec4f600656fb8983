import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import type * as folders from '../../checks/folders.ts'

/** The check, on a machine whose folders are these. */
async function check ({ cwd = '/srv/app', home = '/home/someone', tmp = '/tmp' }: { cwd?: string, home?: string, tmp?: string }): Promise<typeof folders.whyNotEmptied> {
  t.intercept(process, 'cwd', { value: () => cwd })
  const { whyNotEmptied } = await t.mockImport<typeof folders>('../../checks/folders.ts', { 'node:os': { homedir: () => home, tmpdir: () => tmp } })
  return whyNotEmptied
}

t.test('a folder of its own may be emptied', async (t) => {
  const why = await check({})
  for (const folder of ['/tmp/mcp_server', '/tmp-of-mine', '/srv/app/tmp', '/srv/application', '/home/someone/tmp', '/home/someone-else', '/nothing/there/at/all']) t.equal(why(folder), undefined, folder)
})

t.test('folders of others may not, by whatever name, nor those that hold them', async (t) => {
  const why = await check({ tmp: '/scratch' })
  const table: Array<[string, string]> = [
    ['/', 'it is the root of the file system'], ['//', 'it is the root of the file system'], ['/srv/..', 'it is the root of the file system'],
    ['/srv/app', 'it is the working directory'], ['/srv/app/tmp/..', 'it is the working directory'], ['/srv', 'it holds the working directory'],
    ['/home/someone/', 'it is the home folder'], ['/home', 'it holds the home folder'],
    ['/tmp', 'it is the system\'s folder for temporary files'], ['/var/tmp', 'it is the system\'s folder for temporary files'],
    ['/scratch', 'it is the system\'s folder for temporary files'], ['/var', 'it holds the system\'s folder for temporary files']
  ]
  for (const [folder, expected] of table) t.equal(why(folder), expected, folder)
})

t.test('links are looked through', async (t) => {
  const base = t.testdir({ real: { home: {} }, link: t.fixture('symlink', 'real') })
  const why = await check({ home: join(base, 'link/home') })
  t.equal(why(join(base, 'real/home')), 'it is the home folder')
  t.equal(why(join(base, 'real')), 'it holds the home folder')
  t.equal(why(join(base, 'link')), 'it holds the home folder')
  t.equal(why(join(base, 'link/other')), undefined)
})

t.test('a user without a home has none to lose', async (t) => {
  const { whyNotEmptied } = await t.mockImport<typeof folders>('../../checks/folders.ts', {
    'node:os': { homedir () { throw new Error('no entry') }, tmpdir }
  })
  t.equal(whyNotEmptied(resolve(dirname(homedir()), 'nothing-there')), undefined)
})
