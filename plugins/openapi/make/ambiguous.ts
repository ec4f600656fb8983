import type { Operation } from '../operation.ts'

const segmentsOf = ({ path }: Operation): string[] => path.split('/')

const isVariable = (segment: string): boolean => segment.includes('{')

/** What a variable's value looks like, by its type. Formats are not enforced, so they rule nothing out. */
function formOf ({ parameters }: Operation, name: string): string {
  const { type } = parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)?.schema ?? {}
  return type === 'integer' || type === 'number' ? String.raw`-?[\d.]+` : '.+'
}

/** Whether a segment with variables can be this text. */
function canBe (operation: Operation, segment: string, text: string): boolean {
  const source = segment.split(/\{([^{}]+)\}/).map((part, index) => index % 2 === 1 ? formOf(operation, part) : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('')
  return new RegExp(`^${source}$`, 'i').test(text)
}

/** What a path's variables would have to be for its request to be that of another path, or undefined where none could. */
function takenFor (operation: Operation, other: readonly string[]): string[] | undefined {
  const values: string[] = []
  for (const [index, segment] of segmentsOf(operation).entries()) {
    const literal = other[index] ?? ''
    if (isVariable(segment) && !isVariable(literal) && canBe(operation, segment, literal)) values.push(literal)
    else if (segment !== literal && !(isVariable(segment) && isVariable(literal))) return undefined
  }
  return values.length === 0 ? undefined : values
}

/**
 * Warns of operations that some values of their arguments never reach: at `/users/self/`, nobody gets the user whose
 * name is `self`. The API decides which of two routes is meant, and no request can say otherwise.
 * @param selected operations that are tools
 * @param all operations that there are
 */
export function hiddenByOthers (selected: readonly Operation[], all: readonly Operation[]): string[] {
  const groups = Map.groupBy(all, (operation) => `${operation.method} ${segmentsOf(operation).length}`)
  return selected.filter(({ path }) => path.includes('{')).flatMap((operation) => {
    const others = groups.get(`${operation.method} ${segmentsOf(operation).length}`) ?? []
    const values = others.flatMap((other) => takenFor(operation, segmentsOf(other))?.map((value) => JSON.stringify(value)).join(' and ') ?? [])
    return values.length === 0 ? [] : [`${operation.key} does not reach what is called ${[...new Set(values)].join(', ')}: that is another operation.`]
  })
}
