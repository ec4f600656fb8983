/*
 * The Inspector's command line against the app in front of the demo's Django: inspector.ts COMMAND FOLDER, where the
 * command is that of @modelcontextprotocol/inspector, and the folder is one for it to keep things in. What it can ask a
 * server of tools, resources and prompts for runs in each way in which it agrees on a revision.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { z } from 'zod'
import { startServer } from './server.ts'

const [command = '', folder = ''] = process.argv.slice(2)
const server = await startServer()

/** Milliseconds for one run of the command. */
const timeout = 60_000

interface Run { code: number | string | null, stdout: string, stderr: string }

/** Runs one method as an operator would type it. */
async function inspect (era: string, method: string, args: readonly string[] = [], bearer = server.token): Promise<Run> {
  const given = [
    '--cli', '--server-url', server.url, '--transport', 'http', '--header', `Authorization: Bearer ${bearer}`,
    '--stored-auth-only', '--protocol-era', era, '--format', 'json', '--quiet', '--method', method, ...args
  ]
  return await new Promise((resolve) => {
    execFile(command, given, { timeout, killSignal: 'SIGKILL', env: { ...process.env, HOME: folder } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code ?? null, stdout, stderr })
    })
  })
}

/** A list of entries with these names, in this order. */
function entries (...names: string[]) {
  return z.array(z.looseObject({ name: z.string() })).refine((found) => found.map(({ name }) => name).join(' ') === names.join(' '), `expected ${names.join(', ')}`)
}

/** Every method, how it is asked for, and what its result is. */
const methods: ReadonlyArray<readonly [string, readonly string[], z.ZodType]> = [
  ['tools/list', ['--strict'], z.looseObject({ tools: entries('delete_opportunity', 'get_opportunities', 'pipeline_report', 'shout') })],
  ['tools/call', ['--tool-name', 'get_opportunities', '--tool-args-json', '{"status":"won","limit":2}'], z.looseObject({
    isError: z.literal(false).optional(),
    structuredContent: z.looseObject({ count: z.literal(2), total: z.literal(81) })
  })],
  ['tools/call', ['--tool-name', 'shout', '--tool-arg', 'word=さくら ok'], z.looseObject({ content: z.tuple([z.looseObject({ text: z.literal('さくら OK') })]) })],
  ['resources/list', [], z.looseObject({ resources: z.tuple([]) })],
  ['resources/templates/list', [], z.looseObject({ resourceTemplates: entries('client') })],
  ['resources/read', ['--uri', 'client://2'], z.looseObject({ contents: z.tuple([z.looseObject({ text: z.string().regex(/^Client Details: さくら物流\n/) })]) })],
  ['prompts/list', [], z.looseObject({ prompts: entries('summarize_client') })],
  ['prompts/get', ['--prompt-name', 'summarize_client', '--prompt-args', 'client=さくら物流'], z.looseObject({
    messages: z.tuple([z.looseObject({ role: z.literal('user'), content: z.looseObject({ text: z.string().regex(/client:\/\/2/) }) })])
  })]
]

/** What only results of revision 2026-07-28 carry. */
const modern = z.looseObject({ _meta: z.looseObject({ 'io.modelcontextprotocol/serverInfo': z.looseObject({ name: z.string() }) }) })

try {
  for (const era of ['legacy', 'auto', 'modern']) {
    for (const [method, args, expected] of methods) {
      const { code, stdout, stderr } = await inspect(era, method, args)
      assert.equal(code, 0, `${era} ${method}: exit code ${code}\n${stdout}${stderr}`)
      const { result } = z.looseObject({ result: z.unknown() }).parse(JSON.parse(stdout))
      const checked = expected.safeParse(result)
      assert.ok(checked.success, `${era} ${method}: ${checked.error === undefined ? '' : z.prettifyError(checked.error)}\n${stdout}`)
      if (method === 'tools/call') assert.equal(modern.safeParse(result).success, era !== 'legacy', `${era}: the era that was asked for\n${stdout}`)
      process.stdout.write(`ok ${era} ${method} ${args.slice(0, 2).join(' ')}\n`)
    }
    const mistaken = await inspect(era, 'tools/call', ['--tool-name', 'get_opportunities', '--tool-arg', 'status=open'])
    assert.notEqual(mistaken.code, 0)
    assert.match(mistaken.stdout, /status: /, `${mistaken.stdout}${mistaken.stderr}`)
    const refused = await inspect(era, 'tools/list', [], 'nonsense')
    assert.notEqual(refused.code, 0)
    assert.match(refused.stderr, /auth_required/)
    process.stdout.write(`ok ${era}: what is wrong is said\n`)
  }
} finally {
  await server.stop()
}
