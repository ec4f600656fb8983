import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isNode, type Node } from '../oracle/document.ts'
import { Findings, type Outcome } from '../outcome.ts'
import { schemasIn } from '../schemas.ts'
import { jsonAnswer } from '../recorder.ts'
import type { Service } from '../service.ts'
import type { Subject } from '../subject.ts'
import { localReferences } from './schemas.ts'

const marker = 'canary-7f3a91'

/** Functions that read files. */
const readers = ['readFileSync', 'readFile', 'openSync', 'open', 'createReadStream', 'statSync', 'existsSync'] as const

/** Names of files that are read while something is made. */
function readsDuring<Made> (make: () => Made): { made: Made, files: string[] } {
  const files: string[] = []
  const originals = readers.map((name) => [name, fs[name]] as const)
  for (const [name, original] of originals) {
    Reflect.set(fs, name, (...args: unknown[]): unknown => {
      files.push(String(args[0]))
      return Reflect.apply(original, fs, args)
    })
  }
  syncBuiltinESMExports()
  try {
    return { made: make(), files }
  } finally {
    for (const [name, original] of originals) Reflect.set(fs, name, original)
    syncBuiltinESMExports()
  }
}

/** The document with one operation more, all of whose parts are elsewhere. */
function withReferences (root: Node, url: string, file: string): Node {
  const elsewhere = (name: string): unknown => [
    { $ref: `${url}/${name}.json#/a` }, { $ref: `file://${file}` }, { $ref: `${file}#/a` }, { $ref: `../../../../../../../..${file}` }
  ][name.length % 4]
  const schema = { type: 'object', properties: Object.fromEntries(['one', 'three', 'fifth', 'second'].map((name) => [name, elsewhere(name)])) }
  const operation = {
    operationId: 'rubric_elsewhere_create',
    parameters: [{ in: 'query', name: 'q', schema: { $ref: `${url}/parameter.json` } }, { $ref: `file://${file}` }],
    requestBody: { content: { 'application/json': { schema } } },
    responses: { 201: { $ref: `${url}/response.json` } }
  }
  const paths = isNode(root.paths) ? root.paths : {}
  return { ...root, paths: { ...paths, '/rubric/elsewhere/': { post: operation }, '/rubric/item/': { $ref: `file://${file}` }, '/rubric/body/': { post: { requestBody: { $ref: `${url}/body.json` }, responses: {} } } } }
}

/** 9: references stay within the document: none is asked for from a server, none is read from a file. */
export async function externalReferences (subject: Subject, { stranger }: Service): Promise<Outcome> {
  const findings = new Findings()
  const local = localReferences(subject)
  findings.problem(...local.problems)
  const folder = fs.mkdtempSync(join(tmpdir(), 'rubric-'))
  const file = join(folder, 'canary.json')
  fs.writeFileSync(file, JSON.stringify({ a: { type: 'object', description: marker, properties: { [marker]: { type: 'string' } } }, name: marker, in: 'query', schema: { type: 'string' } }))
  try {
    const canary = { type: 'object', description: marker, properties: { [marker]: { type: 'string' } } }
    stranger.play(() => jsonAnswer({ a: canary, ...canary }))
    const { made, files } = readsDuring(() => subject.generate(withReferences(subject.document.root, stranger.url, file)))
    // Whatever was begun may still be under way.
    await new Promise((resolve) => { setTimeout(resolve, 20) })
    findings.expect(stranger.take().length === 0, 'a server was asked because the document says so')
    findings.expect(!files.some((name) => name.includes('canary') || name.includes('passwd')), `a file was read because the document says so: ${files.join(', ')}`)
    findings.expect(!JSON.stringify(made).includes(marker), 'what is in a file or on a server is in the tools')
    for (const { name, inputSchema } of made.tools) {
      for (const { schema, at } of schemasIn(inputSchema)) if (typeof schema.$ref === 'string' && !schema.$ref.startsWith('#/')) findings.problem(`${name}${at} refers to ${schema.$ref}`)
      findings.expect(!JSON.stringify(inputSchema).includes(folder) && !JSON.stringify(inputSchema).includes(stranger.url), `${name} names a place elsewhere`)
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
  return findings.outcome('references and tools')
}
