import { z } from 'zod'
import { CallError } from '../../errors.ts'
import { defineTool, startTask } from '../../plugins/catalog/definition.ts'

const state = z.object({ report: z.string() })

const report = z.object({
  statuses: z.array(z.object({
    status: z.string(),
    count: z.int(),
    value: z.string().nullable().describe('Sum of the values, with all digits; null where none has one')
  }))
})

const progress = z.object({ done: z.number() })

const route = '/api/v1/orbit/reports/'
const one = `${route}{report}/`

/** Django answers 202 with a Location and works on; clients that know tasks get one, others wait. */
export default defineTool({
  name: 'pipeline_report',
  title: 'Report on the pipeline',
  description: 'Counts and sums up all opportunities by status. Takes several seconds.',
  scopes: ['read'],
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.object({}),
  output: report,
  task: {
    mode: 'optional',
    state,
    async poll ({ report: id }, { django }) {
      const { status, body } = await django.request('GET', one, { path: { report: id } })
      if (status === 202) return { status: 'working', message: `${Math.round(progress.parse(body).done * 100)} % of the report is done` }
      return { status: 'completed', result: report.parse(body) }
    },
    async cancel ({ report: id }, { django }) {
      await django.request('DELETE', one, { path: { report: id } })
    }
  },
  async handler (_args, { django }) {
    const { headers } = await django.request('POST', route)
    const id = new RegExp(`${route}([^/]+)/$`).exec(String(headers.location))?.[1]
    if (id === undefined) throw new CallError('bad_response', 'The API does not say where the report will be.')
    return startTask({ state: { report: decodeURIComponent(id) }, pollSeconds: 1, message: 'The report is begun' })
  }
})
