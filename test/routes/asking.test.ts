import t from 'tap'
import { z } from 'zod'
import { definePrompt, defineTool, type CallContext } from '../../plugins/catalog/definition.ts'
import { SealedState } from '../../routes/mcp/sealed-state.ts'
import { MemoryUses } from '../../routes/mcp/uses.ts'
import { stopClock } from '../clock.ts'
import { buildApp, LogLines, modernRpc, rpc, token } from '../helper.ts'
import { startRedis, withoutRedis } from '../redis.ts'

/** A tool that asks twice, and counts what it does. */
function deleting () {
  const deleted: string[] = []
  const tool = defineTool({
    name: 'delete_thing',
    description: 'd',
    scopes: ['read'],
    annotations: { destructiveHint: true },
    asks: true,
    input: z.object({ id: z.string() }),
    async handler ({ id }, { ask }) {
      const confirmed = await ask({ message: `Delete ${id}?` })
      if (confirmed.action !== 'accept') return 'kept'
      const { content } = await ask({ message: 'Why?', schema: { type: 'object', properties: { reason: { type: 'string' } }, required: ['reason'] } })
      deleted.push(`${id}: ${String(content.reason)}`)
      return 'deleted'
    }
  })
  return { tool, deleted }
}

const call = { name: 'delete_thing', arguments: { id: 'a' } }

/** A state with another seal; it must not happen to be the same one. */
function forged (state: string): string {
  const at = state.length - 10
  return `${state.slice(0, at)}${state[at] === 'A' ? 'B' : 'A'}${state.slice(at + 1)}`
}

t.test('a client of 2026-07-28 is asked, round after round, and the tool runs once', async (t) => {
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const first = (await modernRpc(app, 'tools/call', call)).json().result
  t.match(first, { resultType: 'input_required', inputRequests: { question_1: { method: 'elicitation/create', params: { mode: 'form', message: 'Delete a?' } } }, requestState: String })
  const second = (await modernRpc(app, 'tools/call', { ...call, requestState: first.requestState, inputResponses: { question_1: { action: 'accept', content: {} } } })).json().result
  t.match(second, { resultType: 'input_required', inputRequests: { question_2: { params: { message: 'Why?', requestedSchema: { required: ['reason'] } } } } })
  t.notOk('question_1' in second.inputRequests, 'what is answered is not asked again')
  const third = (await modernRpc(app, 'tools/call', { ...call, requestState: second.requestState, inputResponses: { question_2: { action: 'accept', content: { reason: 'old' } } } })).json().result
  t.match(third, { resultType: 'complete', content: [{ text: 'deleted' }] })
  t.strictSame(deleted, ['a: old'])
})

t.test('an answer that is missing, not of its form or to another question is asked for again', async (t) => {
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  let { requestState } = (await modernRpc(app, 'tools/call', call)).json().result
  for (const inputResponses of [{}, { question_1: { action: 'maybe' } }, { question_2: { action: 'accept', content: { reason: 'x' } } }]) {
    const { result } = (await modernRpc(app, 'tools/call', { ...call, requestState, inputResponses })).json()
    t.match(result, { resultType: 'input_required', inputRequests: { question_1: {} } })
    requestState = result.requestState
  }
  const { result } = (await modernRpc(app, 'tools/call', { ...call, requestState, inputResponses: { question_1: { action: 'accept' } } })).json()
  t.match((await modernRpc(app, 'tools/call', { ...call, requestState: result.requestState, inputResponses: { question_2: { action: 'accept', content: { reason: 5 } } } })).json().result, { resultType: 'input_required', inputRequests: { question_2: {} } })
  t.strictSame(deleted, [])
})

t.test('an answer counts for the question that was asked, and for no other that has its name in the next run', async (t) => {
  const deleted: string[] = []
  let unclear = true
  let name = 'A'
  const tool = defineTool({
    name: 'delete_one',
    description: 'd',
    scopes: ['read'],
    asks: true,
    input: z.object({}),
    async handler (_args, { ask }) {
      // What is asked first depends on what is in Django.
      if (unclear) await ask({ message: 'Which one?', schema: { type: 'object', properties: { id: { type: 'integer' } } } })
      const { action } = await ask({ message: `Delete ${name}?` })
      if (action === 'accept') deleted.push(name)
      return action
    }
  })
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const accepted = { question_1: { action: 'accept', content: {} } }
  const { requestState } = (await modernRpc(app, 'tools/call', { name: 'delete_one' })).json().result
  const older = (await rpc(app, 'tools/call', { name: 'delete_one' })).json().result.content[0].text
  const tokenIn = (text: string): string => /confirmation_token: "([^"]+)"/.exec(text)?.[1] ?? 'none'
  unclear = false
  const asked = (await modernRpc(app, 'tools/call', { name: 'delete_one', requestState, inputResponses: accepted })).json().result
  t.match(asked, { resultType: 'input_required', inputRequests: { question_1: { params: { message: 'Delete A?' } } } })
  t.match((await rpc(app, 'tools/call', { name: 'delete_one', arguments: { confirmation_token: tokenIn(older) } })).json().result, { isError: true, content: [{ text: /Delete A\?/ }] })
  name = 'B'
  const again = (await modernRpc(app, 'tools/call', { name: 'delete_one', requestState: asked.requestState, inputResponses: accepted })).json().result
  t.match(again, { inputRequests: { question_1: { params: { message: 'Delete B?' } } } })
  t.strictSame(deleted, [], 'nobody has agreed to either')
  t.match((await modernRpc(app, 'tools/call', { name: 'delete_one', requestState: again.requestState, inputResponses: accepted })).json().result, { content: [{ text: 'accept' }] })
  t.strictSame(deleted, ['B'])
})

t.test('a form may name itself, and be asked for as often as there is something to ask', async (t) => {
  const tool = {
    name: 'named',
    description: 'd',
    annotations: { readOnlyHint: true },
    asks: true,
    input: { type: 'object' },
    // A new schema for each question, as handlers have it.
    async handler (_args: unknown, { ask }: CallContext) {
      const { content } = await ask(JSON.parse('{"message":"Which?","schema":{"$id":"https://example.com/form","type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}'))
      return `got ${String(content.n)}`
    }
  }
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  for (const n of [1, 2, 3]) {
    const { requestState } = (await modernRpc(app, 'tools/call', { name: 'named' })).json().result
    const { content } = (await modernRpc(app, 'tools/call', { name: 'named', requestState, inputResponses: { question_1: { action: 'accept', content: { n } } } })).json().result
    t.strictSame(content, [{ type: 'text', text: `got ${n}` }])
  }
})

t.test('a user who declines is taken at their word', async (t) => {
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  for (const action of ['decline', 'cancel']) {
    const { requestState } = (await modernRpc(app, 'tools/call', call)).json().result
    t.match((await modernRpc(app, 'tools/call', { ...call, requestState, inputResponses: { question_1: { action } } })).json().result, { content: [{ text: 'kept' }] })
  }
  t.strictSame(deleted, [])
})

t.test('[attack 38] [requirement 33] a state that is forged, another call\'s, another principal\'s or used is refused', async (t) => {
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const fresh = async (): Promise<string> => (await modernRpc(app, 'tools/call', call)).json().result.requestState
  const inputResponses = { question_1: { action: 'accept' } }
  const refused = async (params: Record<string, unknown>, options = {}): Promise<void> => {
    t.match((await modernRpc(app, 'tools/call', { ...call, inputResponses, ...params }, options)).json(), { error: { code: -32602, message: 'Invalid or expired requestState', data: { reason: 'invalid_request_state' } } })
  }
  const state = await fresh()
  await refused({ requestState: forged(state) })
  await refused({ requestState: `A${state.slice(1)}` })
  await refused({ requestState: 'nonsense' })
  await refused({ requestState: '' })
  await refused({ requestState: `${state}.x` })
  for (const odd of [5, null, {}, [state], true]) {
    const { result, error } = (await modernRpc(app, 'tools/call', { ...call, inputResponses, requestState: odd })).json()
    t.equal(result, undefined, JSON.stringify(odd))
    t.match(error, { code: -32602, message: /requestState/ })
    t.notMatch(error.message, /split|function/)
  }
  await refused({ requestState: state, arguments: { id: 'b' } })
  await refused({ requestState: state }, { bearer: token({ sub: 'user-2' }) })
  await refused({ requestState: state }, { bearer: token({ client_id: 'other' }) })
  t.match((await modernRpc(app, 'tools/call', { ...call, requestState: state, inputResponses })).json(), { result: { resultType: 'input_required' } }, 'itself is good')
  await refused({ requestState: state })
  const other = await buildApp(t, { JWT_SECRET: 'another-Secret-0123456789-abcdefghij', JWT_SECRET_PREVIOUS: 'Zx9-uY2kLm4Qp7Rs1Tv8Wb3Nc6Dh5Fg0' }, undefined, { tools: [tool] })
  t.match((await modernRpc(other, 'tools/call', { ...call, requestState: await fresh(), inputResponses })).json(), { error: { code: -32602 } })
  t.strictSame(deleted, [])
})

t.test('[attack 38] [requirement 33] a state that was used at one replica is used at all', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  const { tool, deleted } = deleting()
  // With authentication nobody is let in while Redis cannot be asked.
  const open = { AUTH_ENABLED: 'false', ENVIRONMENT: 'test', JWT_SECRET: undefined }
  const build = (variables: Record<string, unknown>) => buildApp(t, { REDIS_URL: redis.url, RATE_LIMIT_REQUESTS: 1000, ...variables }, undefined, { tools: [tool] })
  const [first, second] = [await build({}), await build({})]
  const inputResponses = { question_1: { action: 'accept' } }
  const fresh = async (): Promise<string> => (await modernRpc(first, 'tools/call', call)).json().result.requestState
  const requestState = await fresh()
  t.match((await modernRpc(second, 'tools/call', { ...call, requestState, inputResponses })).json(), { result: { resultType: 'input_required' } }, 'any replica takes it')
  for (const app of [first, second]) t.match((await modernRpc(app, 'tools/call', { ...call, requestState, inputResponses })).json(), { error: { code: -32602, data: { reason: 'invalid_request_state' } } })

  const alone = await build(open)
  const states = [await modernRpc(alone, 'tools/call', call), await modernRpc(alone, 'tools/call', call)].map((response) => response.json().result.requestState)
  await redis.kill()
  t.match((await modernRpc(alone, 'tools/call', { ...call, requestState: states[0], inputResponses })).json(), { result: { resultType: 'input_required' } }, 'without Redis a replica goes by what it knows')
  t.match((await modernRpc(alone, 'tools/call', { ...call, requestState: states[0], inputResponses })).json(), { error: { code: -32602 } })
  t.strictSame(deleted, [])
})

t.test('[attack 38] [requirement 33] over the wire a state ends after ten minutes too', async (t) => {
  const move = stopClock(t)
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const inputResponses = { question_1: { action: 'accept' } }
  const [kept, late] = [await modernRpc(app, 'tools/call', call), await modernRpc(app, 'tools/call', call)].map((response) => response.json().result.requestState)
  move(599)
  t.match((await modernRpc(app, 'tools/call', { ...call, requestState: kept, inputResponses })).json(), { result: { resultType: 'input_required' } })
  move(2)
  t.match((await modernRpc(app, 'tools/call', { ...call, requestState: late, inputResponses })).json(), { error: { code: -32602, data: { reason: 'invalid_request_state' } } })
  t.strictSame(deleted, [])
})

t.test('[attack 38] [requirement 33] a state ends after ten minutes', async (t) => {
  const binding = { principal: 'p', method: 'm', target: 't', arguments: { b: [1, null], a: undefined } }
  const move = stopClock(t)
  const sealed = new SealedState('a secret of any kind', new MemoryUses())
  const [kept, late] = [sealed.seal({ x: 1 }, binding), sealed.seal({ x: 2 }, binding)]
  t.strictSame(await sealed.open(kept, { ...binding, arguments: { a: undefined, b: [1, null] } }), { x: 1 }, 'the order of keys does not matter')
  move(600.001)
  t.equal(await sealed.open(late, binding), undefined)
})

t.test('a client that cannot be asked is told so, before anything happens', async (t) => {
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const response = await modernRpc(app, 'tools/call', call, { meta: { 'io.modelcontextprotocol/clientCapabilities': {} } })
  t.equal(response.statusCode, 400)
  t.match(response.json(), { error: { code: -32021, data: { requiredCapabilities: { elicitation: {} } } } })
  t.strictSame(deleted, [])
})

t.test('[attack 38] [requirement 33] a state is good for the tool that asked, and for no other, nor for a prompt or a resource', async (t) => {
  const asked: string[] = []
  const asking = (what: string) => async (_args: unknown, { ask }: CallContext): Promise<string> => {
    const { action } = await ask({ message: `${what}?` })
    asked.push(`${what}: ${action}`)
    return action
  }
  const tool = (name: string) => ({ name, description: 'd', annotations: { readOnlyHint: true }, asks: true, input: { type: 'object' }, handler: asking(name) })
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, {
    tools: [tool('one'), tool('two')],
    prompts: [{ name: 'one', description: 'd', get: asking('prompt one') }],
    resources: [{ uri: 'app://one', name: 'one', description: 'd', read: asking('resource one') }]
  })
  const calls: Array<readonly [string, Record<string, unknown>]> = [['tools/call', { name: 'one' }], ['tools/call', { name: 'two' }], ['prompts/get', { name: 'one' }], ['resources/read', { uri: 'app://one' }]]
  const inputResponses = { question_1: { action: 'accept' } }
  for (const [from, [method, params]] of calls.entries()) {
    const { requestState } = (await modernRpc(app, method, params)).json().result
    for (const [to, [otherMethod, otherParams]] of calls.entries()) {
      if (to !== from) t.match((await modernRpc(app, otherMethod, { ...otherParams, requestState, inputResponses })).json(), { error: { code: -32602, data: { reason: 'invalid_request_state' } } }, `${method} ${JSON.stringify(params)} for ${otherMethod} ${JSON.stringify(otherParams)}`)
    }
    t.equal((await modernRpc(app, method, { ...params, requestState, inputResponses })).json().result.resultType, 'complete')
  }
  t.strictSame(asked, ['one: accept', 'two: accept', 'prompt one: accept', 'resource one: accept'])
  t.match((await rpc(app, 'resources/read', { uri: 'app://one' })).json(), { error: { code: -32600, message: /2026-07-28/ } }, 'and older clients cannot be asked by a resource')
})

t.test('for older clients the model brings the answer back with a token', async (t) => {
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const listed = (await rpc(app, 'tools/list')).json().result.tools.find(({ name }: { name: string }) => name === 'delete_thing')
  t.match(Object.keys(listed.inputSchema.properties), ['id', 'confirmation_token', 'confirmation_answer'])
  t.match((await modernRpc(app, 'tools/list')).json().result.tools.find(({ name }: { name: string }) => name === 'delete_thing').inputSchema.properties, { confirmation_token: undefined })

  const ask = async (extra: Record<string, unknown> = {}, bearer = token()) => (await rpc(app, 'tools/call', { name: 'delete_thing', arguments: { id: 'a', ...extra } }, bearer)).json().result
  const tokenIn = (result: { content: Array<{ text: string }> }): string => /confirmation_token: "([^"]+)"/.exec(result.content[0]?.text ?? '')?.[1] ?? 'none'
  const first = await ask()
  t.equal(first.isError, true)
  t.match(first.content[0].text, /Nothing has been done yet[\s\S]*Delete a\?[\s\S]*Ask the user[\s\S]*Never answer for the user/)
  t.match(await ask({ confirmation_token: forged(tokenIn(first)) }), { isError: true, content: [{ text: /Delete a\?/ }] }, 'a forged token answers nothing')
  t.match(await ask({ confirmation_token: tokenIn(first), id: 'b' }), { isError: true, content: [{ text: /Delete b\?/ }] }, 'nor does one for other arguments')
  t.match(await ask({ confirmation_token: tokenIn(first) }, token({ sub: 'user-2' })), { isError: true, content: [{ text: /Delete a\?/ }] }, 'nor another principal\'s')
  const second = await ask({ confirmation_token: tokenIn(first) })
  t.match(second, { isError: true, content: [{ text: /Why\?[\s\S]*confirmation_answer: \{"reason":/ }] })
  t.match(await ask({ confirmation_token: tokenIn(first) }), { isError: true, content: [{ text: /Delete a\?/ }] }, 'a token is good for one use')
  t.strictSame(deleted, [])
  t.match(await ask({ confirmation_token: tokenIn(second), confirmation_answer: { reason: 'old' } }), { content: [{ text: 'deleted' }] })
  t.strictSame(deleted, ['a: old'])
})

t.test('what a model writes in the place of a token or an answer is told it, and uses nothing up', async (t) => {
  const { tool, deleted } = deleting()
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const ask = async (extra: Record<string, unknown> = {}) => (await rpc(app, 'tools/call', { name: 'delete_thing', arguments: { id: 'a', ...extra } })).json().result
  const tokenIn = (result: { content: Array<{ text: string }> }): string => /confirmation_token: "([^"]+)"/.exec(result.content[0]?.text ?? '')?.[1] ?? 'none'
  const first = await ask({ confirmation_token: null, confirmation_answer: null })
  t.match(first, { isError: true, content: [{ text: /Delete a\?/ }] }, 'null is nothing')
  const confirmation_token = tokenIn(first)
  for (const wrong of [5, {}, [confirmation_token], true]) t.match(await ask({ confirmation_token: wrong }), { isError: true, content: [{ text: /- confirmation_token: must be the token[\s\S]*Correct the arguments/ }] })
  for (const confirmation_answer of ['{"reason":"old"}', ['old'], 5]) {
    const { content } = await ask({ confirmation_token, confirmation_answer })
    t.match(content, [{ text: /- confirmation_answer: must be an object/ }])
    t.notMatch(content, [{ text: /not an argument/ }])
  }
  t.match((await app.inject('/metrics')).body, 'mcp_tool_calls_total{tool="delete_thing",outcome="client_error"} 7\n')
  const second = await ask({ confirmation_token, confirmation_answer: null })
  t.match(second, { content: [{ text: /Why\?/ }] })
  t.match(await ask({ confirmation_token: tokenIn(second), confirmation_answer: { reason: 'old' } }), { content: [{ text: 'deleted' }] })
  t.strictSame(deleted, ['a: old'])
})

t.test('a tool that asks without declaring it fails in both eras, and its author hears why', async (t) => {
  const log = new LogLines()
  const tool = defineTool({ name: 'undeclared', description: 'd', annotations: { readOnlyHint: true }, input: z.object({}), async handler (_args, { ask }) { return (await ask({ message: 'Sure?' })).action } })
  const app = await buildApp(t, { LOG_LEVEL: 'ERROR' }, log, { tools: [tool] })
  for (const send of [rpc, modernRpc]) t.match((await send(app, 'tools/call', { name: 'undeclared' })).json().result, { isError: true, content: [{ text: /^This tool asks, and does not declare that it does\./ }] })
  t.match(log.records, [{ message: 'call failed', tool: 'undeclared' }, { message: 'call failed', tool: 'undeclared' }])
})

t.test('prompts that ask, and tools that ask for more than a form, need a newer client', async (t) => {
  const app = await buildApp(t, {}, undefined, {
    tools: [defineTool({ name: 'samples', description: 'd', annotations: { readOnlyHint: true }, asks: true, input: z.object({}), async handler (_args, { input }) { await input({ roots: { method: 'roots/list' } }); return 'x' } })],
    prompts: [definePrompt({ name: 'asks', description: 'd', async get (_args, { ask }) { return (await ask({ message: 'Sure?' })).action } })]
  })
  t.match((await rpc(app, 'tools/call', { name: 'samples' })).json().result, { isError: true, content: [{ text: /2026-07-28/ }] })
  t.match((await rpc(app, 'prompts/get', { name: 'asks' })).json(), { error: { code: -32600, message: /2026-07-28/ } })
  const { requestState } = (await modernRpc(app, 'prompts/get', { name: 'asks' })).json().result
  t.match((await modernRpc(app, 'prompts/get', { name: 'asks', requestState, inputResponses: { question_1: { action: 'accept' } } })).json().result, { messages: [{ content: { text: 'accept' } }] })
})

t.test('a question that is none fails the call, and is in the log', async (t) => {
  const log = new LogLines()
  const questions: Record<string, unknown> = {
    'another method': { method: 'nonsense/method', params: {} }, 'no message': { method: 'elicitation/create', params: {} }, 'another mode': { method: 'elicitation/create', params: { mode: 'telepathy', message: 'x' } }, 'no request': 5
  }
  const app = await buildApp(t, { LOG_LEVEL: 'ERROR' }, log, {
    tools: [{ name: 'odd', description: 'd', annotations: { readOnlyHint: true }, asks: true, input: { type: 'object', properties: { which: { type: 'string' } } }, handler: ({ which }: { which: string }, { input }: { input: (requests: unknown) => unknown }) => input({ q: questions[which] }) }]
  })
  for (const which of Object.keys(questions)) {
    for (const send of [rpc, modernRpc]) t.match((await send(app, 'tools/call', { name: 'odd', arguments: { which } })).json().result, { isError: true, content: [{ text: /^A question was asked that is none/ }] }, which)
  }
  t.equal(log.records.length, 8)
})

t.test('a page that the user has to open needs a newer client', async (t) => {
  const tool = defineTool({ name: 'opens', description: 'd', annotations: { readOnlyHint: true }, asks: true, input: z.object({}), async handler (_args, { input }) { await input({ q: { method: 'elicitation/create', params: { mode: 'url', message: 'Sign in', url: 'https://example.com', elicitationId: '1' } } }); return 'x' } })
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  t.match((await rpc(app, 'tools/call', { name: 'opens' })).json().result, { isError: true, content: [{ text: /2026-07-28/ }] })
  const unable = await modernRpc(app, 'tools/call', { name: 'opens' })
  t.equal(unable.statusCode, 400)
  t.match(unable.json(), { error: { code: -32021, data: { requiredCapabilities: { elicitation: { url: {} } } } } })
  t.match((await modernRpc(app, 'tools/call', { name: 'opens' }, { meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } } })).json().result, { resultType: 'input_required', inputRequests: { q: { params: { mode: 'url', url: 'https://example.com' } } } })
})

t.test('a tool knows beforehand which ways of asking its client has', async (t) => {
  const ways = ['elicitation', 'sampling', 'roots'] as const
  const app = await buildApp(t, {}, undefined, {
    tools: [defineTool({ name: 'ways', description: 'd', annotations: { readOnlyHint: true }, asks: true, input: z.object({}), handler: (_args, { canAsk }) => ways.filter((way) => canAsk(way)).join(' ') })],
    prompts: [definePrompt({ name: 'ways', description: 'd', get: (_args, { canAsk }) => `ways: ${ways.filter((way) => canAsk(way)).join(' ')}` })]
  })
  for (const [capabilities, text] of [
    [{}, ''],
    [{ elicitation: {} }, 'elicitation'],
    [{ elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }, 'elicitation sampling roots'],
    [{ elicitation: { url: {} }, sampling: { tools: {} } }, 'sampling']
  ] as const) {
    const { result } = (await modernRpc(app, 'tools/call', { name: 'ways' }, { meta: { 'io.modelcontextprotocol/clientCapabilities': capabilities } })).json()
    t.equal(result.content[0].text, text, JSON.stringify(capabilities))
  }
  t.equal((await rpc(app, 'tools/call', { name: 'ways' })).json().result.content[0].text, 'elicitation', 'tools have a detour for older clients')
  t.equal((await rpc(app, 'prompts/get', { name: 'ways' })).json().result.messages[0].content.text, 'ways: ')
})
