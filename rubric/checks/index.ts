import type { Outcome } from '../outcome.ts'
import type { Service } from '../service.ts'
import type { Subject } from '../subject.ts'
import { answers, outputs } from './answers.ts'
import { annotations, cost, coverage, hosts } from './coverage.ts'
import { externalReferences } from './elsewhere.ts'
import { errors, redirects } from './errors.ts'
import { descriptions, legalNames, stableNames, uniqueNames } from './names.ts'
import { pagination } from './pagination.ts'
import { accepted, collisions, heads, jsonBodies, mediaTypes, oneRequest, pathArguments, styles } from './requests.ts'
import { traversal } from './routes.ts'
import { directions, jsonSchemaOnly, legalKeys, patches, plainRoots, recursion, strictlyCompiled } from './schemas.ts'

export interface Check {
  readonly id: number
  readonly title: string
  readonly run: (subject: Subject, service: Service) => Outcome | Promise<Outcome>
}

/** The rubric: what tools made from an OpenAPI document have to be, whatever the document is. */
export const checks: readonly Check[] = [
  { id: 1, title: 'names are legal', run: legalNames },
  { id: 2, title: 'names are unique', run: uniqueNames },
  { id: 3, title: 'names are stable', run: stableNames },
  { id: 4, title: 'input schemas compile strictly', run: strictlyCompiled },
  { id: 5, title: 'input schemas are plain objects', run: plainRoots },
  { id: 6, title: 'arguments have legal names, and each its place', run: legalKeys },
  { id: 7, title: 'path variables are required, unknown arguments refused', run: pathArguments },
  { id: 8, title: 'no keywords that only OpenAPI has', run: jsonSchemaOnly },
  { id: 9, title: 'references are local, nothing is fetched or read', run: externalReferences },
  { id: 10, title: 'recursive schemas are finite', run: recursion },
  { id: 11, title: 'nothing read-only in, nothing write-only out', run: directions },
  { id: 12, title: 'PATCH requires what is in the path', run: patches },
  { id: 13, title: 'every operation is a tool or has a reason', run: coverage },
  { id: 14, title: 'descriptions tell tools apart', run: descriptions },
  { id: 15, title: 'tools and lists are small', run: cost },
  { id: 16, title: 'annotations follow the method', run: annotations },
  { id: 17, title: 'no host is shown', run: hosts },
  { id: 18, title: 'sample arguments are one request each', run: oneRequest },
  { id: 19, title: 'method, path and query are the oracle\'s', run: heads },
  { id: 20, title: 'lists, objects and booleans are written in their style', run: styles },
  { id: 21, title: 'JSON bodies are the oracle\'s', run: jsonBodies },
  { id: 22, title: 'media types of bodies are the oracle\'s', run: mediaTypes },
  { id: 23, title: 'documented media types are accepted', run: accepted },
  { id: 24, title: 'colliding names reach their own places', run: collisions },
  { id: 25, title: 'no value leads to another route', run: traversal },
  { id: 26, title: 'pages are followed', run: pagination },
  { id: 27, title: 'errors can be acted on', run: errors },
  { id: 28, title: 'redirects are not followed', run: redirects },
  { id: 29, title: 'every kind of answer is told', run: answers },
  { id: 30, title: 'unexpected answers are not lost, security is kept', run: outputs }
]
