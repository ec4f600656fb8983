import Fastify from 'fastify'
import t from 'tap'
import { compileTool, StartedJob, type Tool } from '../../../../plugins/catalog/index.ts'
import type { CallContext } from '../../../../plugins/catalog/definition.ts'
import type { GeneratedTool } from '../../../../plugins/openapi/generated.ts'
import { rankedBy } from '../../../../plugins/catalog/permitted-list.ts'
import { searchTools } from '../../../../plugins/openapi/search/tools.ts'
import { callError } from '../../../helper.ts'
import { context, generatedTool, principal } from '../helper.ts'

const { log } = Fastify()

/** An operation whose call gives back its name and its arguments, after asking where it confirms. */
function searched (generated: GeneratedTool) {
  const { name, description, inputSchema, annotations, scopes, confirm } = generated
  return {
    generated,
    tool: compileTool({
      name,
      description,
      input: inputSchema,
      annotations,
      scopes,
      asks: confirm !== undefined,
      async handler (args: unknown, { ask }: CallContext) {
        if (confirm !== undefined && (await ask({ message: confirm })).action !== 'accept') return 'not done'
        return JSON.stringify({ name, args })
      }
    }, 'when called')
  }
}

const id = { type: 'object' as const, properties: { id: { type: 'integer' } }, required: ['id'] }

const books = [
  generatedTool('GET /api/books/', { name: 'list_books', summary: 'Books of the library. Newest first.', tags: ['books'], inputSchema: { type: 'object', properties: { author: { type: 'string' }, genre: { enum: ['novel', 'poetry'] }, page: { type: 'integer' } } } }),
  generatedTool('GET /api/books/{id}/', { name: 'get_book', summary: 'One book.', tags: ['books'], inputSchema: id }),
  generatedTool('POST /api/books/', { name: 'create_book', summary: 'Adds a book.', tags: ['books'] }),
  generatedTool('DELETE /api/books/{id}/', { name: 'delete_book', summary: 'Removes a book.', tags: ['books'], inputSchema: id }),
  generatedTool('GET /api/loans/', { name: 'list_loans', summary: 'What is lent out.', tags: ['loans'], synonyms: ['borrowed'] }),
  generatedTool('POST /api/loans/{id}/remind/', { name: 'remind_loan', summary: 'Sends a reminder.', tags: ['loans'], inputSchema: id }),
  generatedTool('GET /api/salaries/', { name: 'list_salaries', summary: 'What the librarians earn.', tags: ['payroll'], scopes: ['payroll'] })
]

function tools (generated: readonly GeneratedTool[] = books): ReadonlyMap<string, Tool> {
  return new Map(searchTools(generated.map(searched)).map((tool) => [tool.name, tool]))
}

const byName = tools()

async function call (name: string, args: unknown, changes: Partial<CallContext> = {}): Promise<string> {
  const result = await byName.get(name)?.call(args, context(log, { principal: principal('write'), ...changes }))
  if (result === undefined || result instanceof StartedJob) throw new Error('no result')
  return result.content.map((block) => block.type === 'text' ? block.text : '').join('\n')
}

async function problems (name: string, args: unknown, changes: Partial<CallContext> = {}): Promise<string> {
  const error = await callError(call(name, args, changes))
  t.equal(error.kind, 'invalid_input')
  return error.problems.map(({ path, message }) => `${path}: ${message}`).join('\n')
}

t.test('a search gives the fitting operations in a line each, with what is required first', async (t) => {
  const answer = await call('search_operations', { query: 'show all books' })
  t.equal(answer.split('\n')[0], '- GET list_books(author?, genre?, page?): Books of the library.')
  t.match(answer, '- GET get_book(id): One book.')
  t.match(answer, /\n\d of \d operations that fit, the best first\.\ndescribe_operations tells/)
})

t.test('verbs in other words, synonyms of the overlay and endings are understood', async (t) => {
  const first = async (query: string) => /^- \w+ (\w+)/.exec(await call('search_operations', { query }))?.[1]
  t.equal(await first('erase a book'), 'delete_book')
  t.equal(await first('add new books'), 'create_book')
  t.equal(await first('which ones are borrowed'), 'list_loans')
  t.equal(await first('send reminders'), 'remind_loan')
  t.equal(await first('look up one book'), 'get_book')
})

t.test('tag, method and path narrow a search, and a limit cuts it', async (t) => {
  t.notMatch(await call('search_operations', { query: 'book', method: 'GET' }), 'create_book')
  const loans = await call('search_operations', { tag: 'Loans' })
  t.match(loans, /list_loans[\s\S]*remind_loan[\s\S]*2 of 2/)
  t.match(await call('search_operations', { path: '/API/loans' }), '2 of 2')
  t.match(await call('search_operations', { query: 'book', limit: 1 }), /^- .*\n1 of 4 operations .* Narrow the search/)
})

t.test('a search without a hit names the tags of what the caller may call', async (t) => {
  const answer = await call('search_operations', { query: 'xylophone' })
  t.match(answer, 'books (4), loans (2)')
  t.notMatch(answer, 'payroll')
  t.match(await call('search_operations', { tag: 'loan' }), 'No operation fits. Did you mean the tag "loans"? Use other words')
  t.notMatch(await call('search_operations', { tag: 'payrol' }), 'Did you mean', 'of what a caller may not call, no tag is told')
  t.notMatch(await call('search_operations', { query: 'xylophone', tag: 'Loans' }), 'Did you mean')
})

t.test('descriptions hold the whole schema and how to call', async (t) => {
  const [list = '', remove = '', unknown = ''] = (await call('describe_operations', { operations: ['list_books', 'delete_book', 'list_book'] })).split('\n')
  t.match(JSON.parse(list), { operation: 'list_books', call_with: 'call_read_operation', description: 'Books of the library. Newest first.', request: 'GET /api/books/', arguments: { properties: { genre: { enum: ['novel', 'poetry'] } } } })
  t.match(JSON.parse(remove), { call_with: 'call_operation', asks_the_user: true })
  t.match(unknown, /^list_book: there is no operation of this name; the nearest are list_books, /)
  t.match(await problems('describe_operations', { operations: ['nothing'] }), 'operations: "nothing": there is no operation of this name')
})

t.test('descriptions stop where they would fill the context', async (t) => {
  const wide = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`argument_${index}`, { type: 'string', description: 'x'.repeat(50) }]))
  const big = tools(['a', 'b'].map((name) => generatedTool(`GET /${name}/`, { name, inputSchema: { type: 'object', properties: wide } })))
  const result = await big.get('describe_operations')?.call({ operations: ['a', 'b'] }, context(log))
  t.match(result, { content: [{ text: /^\{"operation":"a".*\nb did not fit: ask for it by itself\.$/ }] })
})

t.test('a call gives what the operation gives', async (t) => {
  t.equal(await call('call_read_operation', { operation: 'list_books', arguments: { genre: 'novel' } }), '{"name":"list_books","args":{"genre":"novel"}}')
  t.equal(await call('call_read_operation', { operation: 'list_loans' }), '{"name":"list_loans","args":{}}')
  t.equal(await call('call_operation', { operation: 'remind_loan', arguments: { id: 5 } }), '{"name":"remind_loan","args":{"id":5}}')
  t.equal(await call('call_operation', { operation: 'get_book', arguments: { id: 5 } }), '{"name":"get_book","args":{"id":5}}', 'reading is no harm')
})

t.test('the schema of the operation checks the arguments, and the error tells how it is called', async (t) => {
  t.equal(await problems('call_read_operation', { operation: 'list_books', arguments: { genr: 'novel' } }),
    'genr: is not an argument of this tool; did you mean genre?\n: the operation is list_books(author?, genre?, page?)')
  t.match(await problems('call_read_operation', { operation: 'list_books', arguments: { genre: 'drama' } }), 'genre: must be one of "novel", "poetry"')
  t.match(await problems('call_read_operation', { operation: 'get_book', arguments: {} }), 'id: is required')
  t.match(await problems('call_read_operation', { operation: 'get_book', id: 5 }), 'id: belongs into arguments, with the other arguments of the operation')
  t.match(await problems('call_read_operation', { operation: 'get_book', arguments: {}, id: 5 }), 'id: is not an argument of this tool')
  t.match(await problems('call_read_operation', { id: 5 }), 'operation: ')
})

t.test('errors name the nearest operations', async (t) => {
  t.match(await problems('call_read_operation', { operation: 'lst_books' }), /operation: there is no operation of this name; the nearest are list_books/)
  t.match(await problems('call_operation', { operation: 'destroy_book' }), /delete_book/)
})

t.test('the tool for reading changes nothing', async (t) => {
  t.equal(await problems('call_read_operation', { operation: 'delete_book', arguments: { id: 1 } }), 'operation: delete_book may change data; call it with call_operation')
})

t.test('what asks the user asks, and does nothing without a yes', async (t) => {
  const asked: string[] = []
  const ask = (action: 'accept' | 'decline'): CallContext['ask'] => async ({ message }) => {
    asked.push(message)
    return { action, content: {} }
  }
  t.equal(await call('call_operation', { operation: 'delete_book', arguments: { id: 1 } }, { ask: ask('decline') }), 'not done')
  t.equal(await call('call_operation', { operation: 'delete_book', arguments: { id: 1 } }, { ask: ask('accept') }), '{"name":"delete_book","args":{"id":1}}')
  t.strictSame(asked, ['Call DELETE /api/books/{id}/?', 'Call DELETE /api/books/{id}/?'])
  t.equal(byName.get('call_operation')?.asks, true)
  t.equal(byName.get('call_read_operation')?.asks, false)
})

t.test('what a caller may not call is not there for it', async (t) => {
  const reader = { principal: principal('read') }
  t.notMatch(await call('search_operations', { query: 'salaries of librarians' }, reader), 'list_salaries')
  t.notMatch(await call('search_operations', { query: 'delete a book' }, reader), 'delete_book')
  for (const name of ['call_read_operation', 'call_operation']) {
    const hidden = await problems(name, { operation: 'list_salaries' }, reader)
    const missing = await problems(name, { operation: 'list_holidays' }, reader)
    t.notMatch(hidden, 'list_salaries')
    t.equal(hidden.split(';')[0], missing.split(';')[0], 'the same words as for what does not exist')
  }
  t.match(await problems('call_read_operation', { operation: 'delete_book', arguments: { id: 1 } }, reader), 'there is no operation of this name', 'not even that it would need the other tool')
  t.match(await problems('describe_operations', { operations: ['list_salaries'] }, reader), 'there is no operation')
  t.equal(await call('call_read_operation', { operation: 'list_salaries' }, { principal: principal('payroll') }), '{"name":"list_salaries","args":{}}')
})

t.test('[attack 31] [attack 91] [requirement 5] the scopes of an operation are told before it is called, of one that is none likewise, and not of one that is misspelt', (t) => {
  const rank = rankedBy('secret')
  const scopes = (name: string, args: unknown, ...granted: string[]) => byName.get(name)?.scopesFor?.(principal(...granted), args, rank)
  t.strictSame(scopes('call_read_operation', { operation: 'list_salaries' }, 'write'), ['payroll'])
  t.strictSame(scopes('call_operation', { operation: 'list_salaries' }, 'write'), ['payroll'])
  t.strictSame(scopes('call_read_operation', { operation: 'anything_else' }, 'write'), ['payroll'], 'what is hidden and what is not there look alike')
  t.strictSame(scopes('call_operation', { operation: 'delete_book' }, 'payroll'), ['write'])
  t.strictSame(scopes('call_read_operation', { operation: 'list_book' }, 'write'), undefined, 'misspelt')
  t.strictSame(scopes('call_read_operation', { operation: 'list_books' }, 'write'), undefined, 'what may be called')
  t.strictSame(scopes('call_operation', { operation: 'anything_else' }, 'write', 'payroll'), undefined, 'nothing is hidden')
  for (const args of [undefined, null, {}, [], 'list_salaries', { operation: 1 }]) t.strictSame(scopes('call_operation', args, 'write'), undefined)
  t.end()
})

t.test('the tools ask for the scopes that every operation behind them asks for', async (t) => {
  t.strictSame(byName.get('search_operations')?.scopes, [], 'reading and payroll have none in common')
  t.strictSame(tools(books.slice(0, 4)).get('search_operations')?.scopes, ['read'])
  t.strictSame(byName.get('call_operation')?.scopes, ['write', 'read'])
  t.match(tools(books.slice(0, 6)).get('search_operations')?.listing.description, 'Tags, with the number of operations: books (2), loans (1).', 'what only writers may call is not told to readers')
})

t.test('there is no tool that writes where no operation does', (t) => {
  t.strictSame([...tools(books.filter(({ operation }) => operation.method === 'GET')).keys()], ['search_operations', 'describe_operations', 'call_read_operation'])
  t.match(byName.get('call_read_operation')?.listing, { annotations: { readOnlyHint: true } })
  t.match(byName.get('call_operation')?.listing, { annotations: { readOnlyHint: false, destructiveHint: true } })
  t.strictSame([...tools(books.filter(({ operation }) => operation.method !== 'GET')).keys()], ['search_operations', 'describe_operations', 'call_operation'])
  t.end()
})
