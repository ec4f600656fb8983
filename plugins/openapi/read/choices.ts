import { plain } from '../text.ts'

const letters = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')

/** A line that drf-spectacular writes for each choice of a field: its value and its label. */
const choiceLine = /^[ \t]*[*-][ \t]+`?(.*?)`?[ \t]+[-–][ \t]+(.*)$/

/** The description of a field with choices. A label that only repeats its value is left out. */
export function labelled (text: string, choices: readonly unknown[]): string {
  const values = new Set(choices.map(String))
  const told: string[] = []
  const rest = text.split('\n').filter((line) => {
    const [, value, label] = choiceLine.exec(line) ?? []
    if (value === undefined || label === undefined || !values.has(value)) return true
    if (letters(value) !== letters(label.replace(/\(descending\)$/, ''))) told.push(`${value}: ${plain(label)}`)
    return false
  })
  return [plain(rest.join('\n')), told.join(', ')].filter((part) => part !== '').join(' ')
}
