import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { ConfigProblem } from './errors.ts'
import { variableMeant } from './spelling.ts'

/** Values by the names of variables, from wherever they come. */
export type Source = Readonly<Record<string, unknown>>

/** The values in a JSON file; what is wrong with it is one problem among the others. */
export function readFile (file: string, known: readonly string[]): { values: Source, problems: ConfigProblem[] } {
  let values: Source
  try {
    values = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it is not a JSON object' : error instanceof SyntaxError ? 'it is not valid JSON' : 'it cannot be read'
    return { values: {}, problems: [{ variable: 'CONFIG_FILE', message: `given ${JSON.stringify(file)}; ${reason}; expected a JSON object with variables as keys` }] }
  }
  const problems = Object.keys(values).filter((name) => !known.includes(name)).map((name) => {
    const meant = variableMeant(name, known)
    return { variable: name, message: `unknown in ${file}${meant === undefined ? '' : `; did you mean ${meant}?`}` }
  })
  return { values, problems }
}
