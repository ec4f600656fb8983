import { join } from 'node:path'
import t, { type Test } from 'tap'
import { folderWithPython, runDemo } from './helper.ts'

const posixOnly = process.platform === 'win32' ? { skip: 'needs a shell script as Python' } : {}

/** What the demo says and how it exits where the PATH is nothing but this folder, and no virtual environment is there yet. */
async function demoWithPath (t: Test, folder: string) {
  const demo = runDemo(t, ['--once', '--venv', join(folder, 'none', 'venv')], { PATH: folder })
  return { code: await demo.exited, output: demo.output() }
}

t.test('without Python one sentence says what to install', async (t) => {
  t.strictSame(await demoWithPath(t, t.testdir()), {
    code: 1,
    output: 'The demo needs Python, and none was found on the PATH: install Python 3.10 or later, from python.org or with your system\'s package manager.\n'
  })
})

t.test('so it does where Python is too old', posixOnly, async (t) => {
  t.strictSame(await demoWithPath(t, folderWithPython(t, 'sys.version_info = (3, 9, 6)')), {
    code: 1,
    output: 'The demo needs a newer Python than python3 (3.9.6): install Python 3.10 or later, from python.org or with your system\'s package manager.\n'
  })
})

t.test('and where Python comes without what makes virtual environments', posixOnly, async (t) => {
  t.strictSame(await demoWithPath(t, folderWithPython(t, 'sys.version_info = (3, 11, 2); sys.modules["ensurepip"] = None')), {
    code: 1,
    output: 'The demo needs a virtual environment, and python3 (3.11.2) cannot make one without its ensurepip module: on Debian and Ubuntu install the package python3.11-venv, elsewhere install Python 3.10 or later, from python.org or with your system\'s package manager.\n'
  })
})
