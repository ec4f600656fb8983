/*
 * A user signs in to an official client with headless Chromium, from nothing but our URL: sign-in.ts FOLDER, which is
 * one for the browser and the test to write to.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Introduction } from '../sign-in/client.ts'
import { signInScenario } from '../sign-in/scenario.ts'
import { startSignIn } from '../sign-in/server.ts'
import type { UserAgent } from '../sign-in/user-agent.ts'
import { startBrowser, type Browser } from './browser/driver.ts'

const [folder = ''] = process.argv.slice(2)

function say (text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Where the browser is when it has come back to an address: a click does not wait for the page that it leads to. */
async function arrival (browser: Browser, address: string): Promise<URL> {
  for (let tries = 0; tries < 200; tries += 1) {
    const url = new URL(await browser.url())
    if (`${url.origin}${url.pathname}` === address) return url
    await sleep(50)
  }
  throw new Error(`the browser does not come back to ${address}`)
}

/** A user in front of the browser. */
function userOf (browser: Browser): UserAgent {
  return async (url, { name, password }, consents) => {
    await browser.open(url.href)
    // Who has signed in already is not asked again.
    if (new URL(await browser.url()).pathname === '/accounts/login/') {
      await browser.fill('input[name=username]', name)
      await browser.fill('input[name=password]', password)
      await browser.click('button[type=submit]')
    }
    consents(await browser.text('#authorizationForm'))
    await browser.click('input[name=allow]')
    return await arrival(browser, url.searchParams.get('redirect_uri') ?? '')
  }
}

const stops: Array<() => Promise<void>> = []
try {
  const server = await startSignIn(join(folder, 'django'))
  stops.unshift(server.stop)
  const browser = await startBrowser(join(folder, 'profile'))
  stops.unshift(browser.quit)
  say(`Chromium ${browser.version}`)
  for (const introduction of ['registration', 'document'] satisfies Introduction[]) {
    await signInScenario(server, userOf(browser), introduction, (line) => { say(`ok ${line}`) })
  }
} finally {
  for (const stop of stops) await stop()
}
