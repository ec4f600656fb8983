import type { Binding, GeneratedTool } from '../../../../plugins/openapi/generated.ts'
import type { Body, BodyContent, OperationMethod, OperationResponse, Parameter, Schema } from '../../../../plugins/openapi/operation.ts'
import { generatedTool } from '../helper.ts'

export function parameter (name: string, place: Parameter['in'], parts: Partial<Parameter> = {}): Parameter {
  const style = place === 'query' || place === 'cookie' ? 'form' : 'simple'
  return { name, in: place, required: place === 'path', description: '', schema: {}, style, explode: (parts.style ?? style) === 'form', allowReserved: false, mediaType: undefined, ...parts }
}

/** An argument for a parameter, of the same name unless another is given. */
export function bound (name: string, place: Parameter['in'], parts: Partial<Parameter> = {}, argument = name): Binding {
  return { argument, place: { kind: 'parameter', parameter: parameter(name, place, parts) } }
}

export function property (name: string, argument = name): Binding {
  return { argument, place: { kind: 'property', property: name } }
}

export const wholeBody: Binding = { argument: 'body', place: { kind: 'body' } }

export function body (types: readonly string[], parts: Partial<Body> & { encoding?: BodyContent['encoding'] } = {}): Body {
  const { encoding = {}, ...rest } = parts
  return { required: false, description: '', content: new Map(types.map((type) => [type, { schema: {}, encoding }])), ...rest }
}

export function response (status: string, types: readonly string[]): OperationResponse {
  return { status, description: '', content: new Map(types.map((type): [string, Schema] => [type, {}])) }
}

/** A tool with these arguments; the types of its arguments are in `properties`. */
export function tool (key: `${OperationMethod} /${string}`, bindings: readonly Binding[] = [], parts: Partial<GeneratedTool> & { properties?: Record<string, unknown>, body?: Body, responses?: readonly OperationResponse[] } = {}): GeneratedTool {
  const { properties = {}, body: ofBody, responses = [], ...rest } = parts
  const made = generatedTool(key, { bindings, inputSchema: { type: 'object', properties }, confirm: undefined, ...rest })
  const [bodyType] = ofBody?.content.keys() ?? []
  return {
    ...made,
    bodyType: rest.bodyType ?? bodyType,
    operation: {
      ...made.operation,
      parameters: bindings.flatMap(({ place }) => place.kind === 'parameter' ? [place.parameter] : []),
      body: ofBody,
      responses
    }
  }
}
