import t from 'tap'
import { z } from 'zod'
import { defineTool, startTask, type InputRequest } from '../../../plugins/catalog/definition.ts'
import { buildApp } from '../../helper.ts'
import { ask, begin, extension, until } from './helper.ts'

const name: InputRequest = {
  method: 'elicitation/create',
  params: { mode: 'form', message: 'Name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } }
}

/** A tool whose job asks for a confirmation, then for a reason. */
function confirming () {
  const done: string[] = []
  const tool = defineTool({
    name: 'confirming',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      async poll (_state, { ask }) {
        const { action } = await ask({ message: 'Go on?' })
        if (action !== 'accept') return { status: 'completed', result: 'stopped' }
        const { content } = await ask({ message: 'Why?', schema: { type: 'object', properties: { reason: { type: 'string' } }, required: ['reason'] } })
        done.push(String(content.reason))
        return { status: 'completed', result: `went on: ${String(content.reason)}` }
      }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  return { tool, done }
}

t.test('a job asks, round after round, under keys that are never used twice', async (t) => {
  const { tool, done } = confirming()
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [tool] })
  const taskId = await begin(app, 'confirming')
  const first = await until(app, taskId, ['input_required'])
  t.match(first, { status: 'input_required', inputRequests: { 'question_1.1': { method: 'elicitation/create', params: { mode: 'form', message: 'Go on?' } } } })
  t.notOk('requestState' in first)
  t.strictSame((await ask(app, 'tasks/get', { taskId })).result.inputRequests, first.inputRequests, 'the same question again')

  const answer = async (inputResponses: Record<string, unknown>) => {
    const { result } = await ask(app, 'tasks/update', { taskId, inputResponses })
    t.strictSame(Object.keys(result).filter((key) => key !== '_meta'), ['resultType'])
  }
  for (const wrong of [{}, { question_1: { action: 'accept' } }, { other: { action: 'accept' } }, { constructor: { action: 'accept' } }, { 'question_1.1': 'accept' }]) {
    await answer(wrong)
    t.match((await ask(app, 'tasks/get', { taskId })).result, { status: 'input_required', inputRequests: { 'question_1.1': {} } }, JSON.stringify(wrong))
  }
  await answer({ 'question_1.1': { action: 'perhaps' } })
  t.match(Object.keys((await until(app, taskId, ['input_required'])).inputRequests), ['question_1.2'], 'an answer that is none is asked for again, under another key')
  await answer({ 'question_1.1': { action: 'accept' } })
  t.match((await ask(app, 'tasks/get', { taskId })).result, { status: 'input_required' }, 'what was answered is not answered again')
  await answer({ 'question_1.2': { action: 'accept' }, 'question_2.3': { action: 'accept', content: { reason: 'too early' } } })
  t.match(await until(app, taskId, ['input_required']), { inputRequests: { 'question_2.3': { params: { message: 'Why?' } } } })
  await answer({ 'question_1.2': { action: 'decline' } })
  await answer({ 'question_2.3': { action: 'accept', content: { reason: 'it is old' } } })
  t.match(await until(app, taskId), { status: 'completed', result: { content: [{ text: 'went on: it is old' }] } })
  await answer({ 'question_2.3': { action: 'accept', content: { reason: 'again' } } })
  t.match((await ask(app, 'tasks/get', { taskId })).result, { status: 'completed' }, 'a replay changes nothing')
  t.strictSame(done, ['it is old'])
})

t.test('an answer of a task counts for the question that was asked, and for no other of its name', async (t) => {
  let message = 'Which one?'
  const tool = defineTool({
    name: 'changing',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      async poll (_state, { ask }) { return { status: 'completed', result: `${message} ${(await ask({ message })).action}` } }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [tool] })
  const taskId = await begin(app, 'changing')
  t.match(await until(app, taskId, ['input_required']), { inputRequests: { 'question_1.1': { params: { message: 'Which one?' } } } })
  message = 'Delete it?'
  await ask(app, 'tasks/update', { taskId, inputResponses: { 'question_1.1': { action: 'accept' } } })
  t.match(await until(app, taskId, ['input_required', 'completed']), { status: 'input_required', inputRequests: { 'question_1.2': { params: { message: 'Delete it?' } } } })
  await ask(app, 'tasks/update', { taskId, inputResponses: { 'question_1.2': { action: 'accept' } } })
  t.match(await until(app, taskId), { result: { content: [{ text: 'Delete it? accept' }] } })
})

t.test('questions can be answered one by one', async (t) => {
  let looks = 0
  const tool = defineTool({
    name: 'both',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      async poll (_state, { input }) {
        looks += 1
        return { status: 'completed', result: JSON.stringify(await input({ a: name, b: name })) }
      }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [tool] })
  const taskId = await begin(app, 'both')
  t.strictSame(Object.keys((await until(app, taskId, ['input_required'])).inputRequests), ['a.1', 'b.2'])
  await ask(app, 'tasks/update', { taskId, inputResponses: { 'b.2': { action: 'accept', content: { name: 'B' } } } })
  const half = (await ask(app, 'tasks/get', { taskId })).result
  t.strictSame([half.status, Object.keys(half.inputRequests)], ['input_required', ['a.1']])
  t.equal(looks, 1, 'the job is not looked at before all is answered')
  await Promise.all([1, 2, 3].map((number) => ask(app, 'tasks/update', { taskId, inputResponses: { 'a.1': { action: 'accept', content: { name: `A${number}` } } } })))
  const { result } = await until(app, taskId)
  const { a, b } = JSON.parse(result.content[0].text)
  t.match([a, b], [{ content: { name: /^A[123]$/ } }, { content: { name: 'B' } }])
})

t.test('a client is asked only what it can be asked', async (t) => {
  const asked: InputRequest[] = [
    name,
    { method: 'elicitation/create', params: { mode: 'url', message: 'm', url: 'https://example.com', elicitationId: '1' } },
    { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } },
    { method: 'roots/list' }
  ]
  const tool = defineTool({
    name: 'asks',
    description: 'd',
    scopes: ['read'],
    input: z.object({ index: z.int() }),
    task: {
      mode: 'optional',
      state: z.object({ index: z.int() }),
      async poll ({ index }, { input }) {
        const request = asked[index]
        return { status: 'completed', result: JSON.stringify(await input(request === undefined ? {} : { question: request })) }
      }
    },
    handler: ({ index }) => startTask({ state: { index }, pollSeconds: 0.1 })
  })
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [tool] })
  const meta = (capabilities: Record<string, unknown>) => ({ 'io.modelcontextprotocol/clientCapabilities': { ...capabilities, extensions: { [extension]: {} } } })
  const cases = [
    { able: [{ elicitation: {} }, { elicitation: { form: {} } }, { elicitation: { form: {}, url: {} } }], unable: [{}, { elicitation: { url: {} } }, { sampling: {} }], required: { elicitation: { form: {} } } },
    { able: [{ elicitation: { url: {} } }], unable: [{}, { elicitation: {} }], required: { elicitation: { url: {} } } },
    { able: [{ sampling: {} }], unable: [{}, { elicitation: {} }], required: { sampling: {} } },
    { able: [{ roots: {} }], unable: [{}, { sampling: {} }], required: { roots: {} } }
  ]
  for (const [index, { able, unable, required }] of cases.entries()) {
    const taskId = await begin(app, 'asks', { index })
    await new Promise((resolve) => { setTimeout(resolve, 110) })
    for (const capabilities of unable) {
      const { status, error } = await ask(app, 'tasks/get', { taskId }, { meta: meta(capabilities) })
      t.equal(status, 400)
      t.match(error, { code: -32021, data: { requiredCapabilities: required } }, JSON.stringify([index, capabilities]))
    }
    for (const capabilities of able) t.match((await ask(app, 'tasks/get', { taskId }, { meta: meta(capabilities) })).result, { status: 'input_required' }, JSON.stringify([index, capabilities]))
  }
})

t.test('what the handler asks is asked before there is a task', async (t) => {
  let started = 0
  const tool = defineTool({
    name: 'asks_first',
    description: 'd',
    scopes: ['read'],
    asks: true,
    input: z.object({}),
    task: { mode: 'required', state: z.object({ who: z.string() }), poll: ({ who }) => ({ status: 'completed', result: `for ${who}` }) },
    async handler (_args, { ask }) {
      const { content } = await ask({ message: 'Who?', schema: { type: 'object', properties: { who: { type: 'string' } }, required: ['who'] } })
      started += 1
      return startTask({ state: { who: String(content.who) }, pollSeconds: 0.1 })
    }
  })
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const { result } = await ask(app, 'tools/call', { name: 'asks_first' })
  t.equal(result.resultType, 'input_required')
  t.notOk('taskId' in result)
  t.equal(started, 0)
  const next = (await ask(app, 'tools/call', { name: 'asks_first', requestState: result.requestState, inputResponses: { question_1: { action: 'accept', content: { who: 'Ada' } } } })).result
  t.equal(next.resultType, 'task')
  t.notOk('requestState' in next || 'inputRequests' in next)
  t.match(await until(app, next.taskId), { result: { content: [{ text: 'for Ada' }] } })
  t.equal(started, 1)
})
