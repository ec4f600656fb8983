import { dereferenced, manyOperations } from './documents.ts'
import { holdAgainst } from './rubric.ts'

holdAgainst([
  ['a document of 1,200 operations', manyOperations],
  ['a document whose schemas are written out in place', dereferenced]
])
