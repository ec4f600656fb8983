import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'

/** A page in headless Chromium. */
export interface Browser {
  readonly version: string
  readonly open: (url: string) => Promise<void>
  /** URL of the page that is open. */
  readonly url: () => Promise<string>
  /** Types a text into the field that a selector finds. */
  readonly fill: (selector: string, text: string) => Promise<void>
  /** Clicks on what a selector finds. The page that this leads to may come later; what is looked for there is waited for. */
  readonly click: (selector: string) => Promise<void>
  /** What one reads in what a selector finds. */
  readonly text: (selector: string) => Promise<string>
  /** Calls a function that a module exports, in the page that is open. */
  readonly call: (module: string, name: string, argument?: unknown) => Promise<unknown>
  readonly quit: () => Promise<void>
}

/** Milliseconds for the driver to start, and for anything that it is asked to do. */
const timeout = 30_000

// Without those that begin with `disable-`, a browser looks for its maker's hosts at every start.
const switches = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'
]

const session = z.object({ sessionId: z.string(), capabilities: z.looseObject({ browserVersion: z.string() }) })
const outcome = z.union([z.object({ value: z.unknown() }), z.object({ error: z.string() })])

const script = `
  const [module, name, argument, done] = arguments
  import(module).then((exported) => exported[name](argument)).then((value) => done({ value }), (error) => done({ error: String(error) }))
`

/** Port of a driver that has just been started, as it says itself. */
async function portOf (lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const port = /started successfully on port (\d+)/.exec(line)?.[1]
    if (port !== undefined) return port
  }
  throw new Error('chromedriver has ended before it listened')
}

/**
 * Starts Chromium by its driver, which is spoken to as W3C WebDriver says.
 * @param profile a folder that is empty
 */
export async function startBrowser (profile: string): Promise<Browser> {
  const driver = spawn('chromedriver', ['--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(driver, 'close')
  const kill = async (): Promise<void> => {
    driver.kill()
    await closed
  }
  try {
    const port = await portOf(createInterface(driver.stdout))
    driver.stdout.resume()
    const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${port}/session${path}`, { method, signal: AbortSignal.timeout(timeout), ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      const text = await response.text()
      assert.ok(response.ok, text)
      return z.object({ value: z.unknown() }).parse(JSON.parse(text)).value
    }
    const find = async (sessionId: string, selector: string): Promise<string> => {
      const found = z.record(z.string(), z.string()).parse(await ask('POST', `/${sessionId}/element`, { using: 'css selector', value: selector }))
      return Object.values(found)[0] ?? ''
    }
    const { sessionId, capabilities } = session.parse(await ask('POST', '', {
      capabilities: { alwaysMatch: { browserName: 'chrome', timeouts: { script: timeout, implicit: timeout / 2 }, 'goog:chromeOptions': { binary: '/usr/bin/chromium', args: [...switches, `--user-data-dir=${profile}`] } } }
    }))
    return {
      version: capabilities.browserVersion,
      async open (url) {
        await ask('POST', `/${sessionId}/url`, { url })
      },
      url: async () => z.string().parse(await ask('GET', `/${sessionId}/url`)),
      async fill (selector, text) {
        await ask('POST', `/${sessionId}/element/${await find(sessionId, selector)}/value`, { text })
      },
      async click (selector) {
        await ask('POST', `/${sessionId}/element/${await find(sessionId, selector)}/click`, {})
      },
      text: async (selector) => z.string().parse(await ask('GET', `/${sessionId}/element/${await find(sessionId, selector)}/text`)),
      async call (module, name, argument = null) {
        const given = outcome.parse(await ask('POST', `/${sessionId}/execute/async`, { script, args: [module, name, argument] }))
        if ('error' in given) throw new Error(`${name}: ${given.error}`)
        return given.value
      },
      async quit () {
        await ask('DELETE', `/${sessionId}`)
        await kill()
      }
    }
  } catch (error) {
    await kill()
    throw error
  }
}
