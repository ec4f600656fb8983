import { isRecord } from '../../checks/records.ts'

/** The parts of a JSON Web Token in compact form (RFC 7515 §3.1), as they are written; undefined for any other text. */
export function webTokenParts (token: string): readonly [header: string, payload: string, signature: string] | undefined {
  const [header = '', payload = '', signature, ...more] = token.split('.')
  return signature !== undefined && more.length === 0 && isRecord(decodedPart(header)) ? [header, payload, signature] : undefined
}

/** What a part says, read as generously as any decoder does; undefined for what is no JSON. */
export function decodedPart (part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
