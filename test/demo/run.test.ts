import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isAlive, runDemo } from './helper.ts'

t.setTimeout(300_000)

const answer = /\nid +name +client +value +stage\n(\d+ .+\n){3}3 of 215 opportunities\n/

/** The output without the one warning that the demo deserves: its Django does not know who calls. */
function withoutIdentity (output: string): string {
  return output.replace(/^.*WARNING: Django sees one shared identity.*\n/m, '')
}

t.test('--once makes a call and ends', async (t) => {
  const demo = runDemo(t, ['--once'])
  t.equal(await demo.exited, 0)
  t.match(demo.output(), answer)
  t.match(demo.output(), /\n3 tools are written by hand: delete_opportunity, get_opportunities, pipeline_report\.\n\d\d tools come from the OpenAPI document .*\n(  .*\n)*.*\bopportunities_list\b/)
  t.match(demo.output(), /"mcpServers"[\s\S]*"Authorization": "Bearer /)
  t.notMatch(withoutIdentity(demo.output()), /WARN/, 'nothing else to worry about')
  const pid = Number(/\(process (\d+)\)/.exec(demo.output())?.[1])
  t.ok(pid > 0)
  t.notOk(isAlive(pid))
})

t.test('without it everything runs until it is interrupted', async (t) => {
  const demo = runDemo(t, [])
  await demo.until(/until Ctrl-C/)
  const output = demo.output()
  t.match(output, answer)
  t.notMatch(withoutIdentity(output), /WARN/)

  const pid = Number(/\(process (\d+)\)/.exec(output)?.[1])
  const url = /MCP server +(http:\/\/127\.0\.0\.1:\d+)\/mcp\n/.exec(output)?.[1] ?? ''
  const authorization = /"Authorization": "(Bearer .+)"/.exec(output)?.[1] ?? ''
  t.ok(isAlive(pid))
  t.equal((await fetch(`${url}/health`)).status, 200)
  t.match(output, `claude mcp add --transport http django-demo ${url}/mcp --header "Authorization: ${authorization}"`)
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { Authorization: authorization, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  })
  t.equal(response.status, 200, 'the token works')
  t.match(await response.text(), /"delete_opportunity"/, 'tools of the demo are there too')

  demo.signal('SIGINT')
  t.equal(await demo.exited, 0)
  t.notOk(isAlive(pid))
  t.match(demo.output(), /Stopping \.\.\.\n$/)
})

t.test('a Django that ends by itself ends the demo', async (t) => {
  const demo = runDemo(t, [])
  await demo.until(/until Ctrl-C/)
  process.kill(Number(/\(process (\d+)\)/.exec(demo.output())?.[1]))
  t.equal(await demo.exited, 1)
  t.match(demo.output(), /\nDjango has ended by itself; the reason may be in .*django\.log\.\n$/)
})

t.test('Django does not outlive a demo that is killed', async (t) => {
  const demo = runDemo(t, [])
  await demo.until(/until Ctrl-C/)
  const pid = Number(/\(process (\d+)\)/.exec(demo.output())?.[1])
  demo.signal('SIGKILL')
  t.equal(await demo.exited, null)
  while (isAlive(pid)) await sleep(50)
  t.pass('it is gone')
})

t.test('options are explained, and wrong ones refused', async (t) => {
  const asked = runDemo(t, ['--help'])
  t.equal(await asked.exited, 0)
  t.match(asked.output(), /^Usage: npm run demo/)
  const wrong = runDemo(t, ['--twice'])
  t.equal(await wrong.exited, 1)
  t.match(wrong.output(), /^Unknown option '--twice'[\s\S]*\nUsage: npm run demo/)
})
