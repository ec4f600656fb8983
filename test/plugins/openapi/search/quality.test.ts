import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { anonymous } from '../../../../plugins/auth/principal.ts'
import { compileTool } from '../../../../plugins/catalog/index.ts'
import { toolDefinition } from '../../../../plugins/openapi/call/definition.ts'
import { parseDocument } from '../../../../plugins/openapi/document.ts'
import { generate } from '../../../../plugins/openapi/generate.ts'
import { parseOverlay } from '../../../../plugins/openapi/overlay.ts'
import { Operations } from '../../../../plugins/openapi/search/operations.ts'
import { tuned, unseen, type Question } from './questions.ts'

const files = { kobo: 'kobo-v2.yaml', cvat: 'cvat.yml' } as const
type Api = keyof typeof files

function operationsOf (api: Api, overlay?: string): Operations {
  const text = readFileSync(fileURLToPath(new URL(`../../../fixtures/openapi/given/${files[api]}`, import.meta.url)), 'utf8')
  const { tools } = generate(parseDocument(text), { methods: ['all'], ...overlay === undefined ? {} : { overlay: parseOverlay(overlay) } })
  return new Operations(tools.map((generated) => ({ generated, tool: compileTool(toolDefinition(generated), 'when called') })))
}

/** For each question the place of the first operation that answers it; Infinity where none is found. */
function places (operations: Operations, questions: readonly Question[]): number[] {
  return questions.map(([query, ...wanted]) => {
    const found = operations.find(anonymous, { query }).map(({ generated }) => generated.operation.key)
    const place = found.findIndex((key) => wanted.includes(key))
    return place === -1 ? Infinity : place + 1
  })
}

function hits (all: readonly number[], within: number): number {
  return all.filter((place) => place <= within).length
}

const apis = { kobo: operationsOf('kobo'), cvat: operationsOf('cvat') }

// Bounds a little below what was measured, so that what makes the search worse shows.
for (const [name, questions, bounds] of [['that it was tuned on', tuned, { 1: 32, 5: 45, 8: 47 }], ['that it has never seen', unseen, { 1: 23, 5: 31, 8: 32 }]] as const) {
  t.test(`questions ${name} find their operations among the first`, (t) => {
    const all = [...places(apis.kobo, questions.kobo), ...places(apis.cvat, questions.cvat)]
    t.comment(`of ${all.length}: ${hits(all, 1)} first, ${hits(all, 5)} among five, ${hits(all, 8)} among eight`)
    for (const [within, least] of Object.entries(bounds)) t.ok(hits(all, Number(within)) >= least, `${hits(all, Number(within))} within ${within}`)
    t.end()
  })
}

t.test('synonyms in an overlay make up for another vocabulary', (t) => {
  const [question, wanted] = ['share a project with another user', 'POST /api/v2/assets/{uid_asset}/permission-assignments/']
  t.ok(places(apis.kobo, [[question, wanted]]).every((place) => place > 1))
  const taught = operationsOf('kobo', `tools:\n  "${wanted}":\n    synonyms: [share a project, give access]\n`)
  t.strictSame(places(taught, [[question, wanted]]), [1])
  t.end()
})
