import { readdirSync, readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import t from 'tap'
import { judge } from '../../rubric/judge.ts'
import { Service } from '../../rubric/service.ts'

type Documents = ReadonlyArray<readonly [name: string, document: () => unknown]>

/** The documents of a folder of fixtures. */
export function documentsIn (folder: 'given' | 'synthetic'): Documents {
  const path = new URL(`../fixtures/openapi/${folder}/`, import.meta.url)
  return readdirSync(path).map((name) => [name, () => load(readFileSync(new URL(name, path), 'utf8'), { maxDepth: 1000 })])
}

/** Holds every check of the rubric against documents. */
export function holdAgainst (documents: Documents): void {
  for (const [name, document] of documents) {
    t.test(`the rubric holds for ${name}`, async (t) => {
      const service = await Service.start()
      t.teardown(() => service.stop())
      for await (const { check: { id, title }, outcome: { checked, problems } } of judge(name, document(), service)) {
        t.strictSame(problems.slice(0, 10), [], `${id} ${title}: ${checked}`)
      }
    })
  }
}
