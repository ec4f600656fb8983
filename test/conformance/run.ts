import Fastify from 'fastify'
import fp from 'fastify-plugin'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { freePort } from '../../demo/free-port.ts'
import { judge, readExpected, strays, type Expected, type Verdict } from './expected.ts'
import { fixture } from './fixture/index.ts'
import { requiredScenarios, runSuite, suiteVersion } from './suite.ts'

/*
 * Runs the conformance suite of the protocol against this app: `npm run conformance`. It prints a line per scenario
 * and the totals, and fails where anything differs from expected-failures.yaml.
 */

/** Scenarios of the extension for tasks. */
const tasks = [
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-status-notifications',
  'tasks-required-task-error',
  'tasks-mrtr-composition'
]

/** Revisions, and scenarios that count here although the suite does not require them. */
const revisions = [
  { revision: '2026-07-28', beside: ['json-schema-2020-12', 'http-header-validation', 'http-custom-header-server-validation', ...tasks] },
  { revision: '2025-11-25', beside: [] }
]

/** The whole app as production makes it, but without authentication, for which the suite has no token. */
async function start () {
  // The app has to know its own before it listens, since it refuses other origins than its own.
  const port = await freePort()
  const loaded = loadConfig({
    AUTH_ENABLED: 'false',
    ENVIRONMENT: 'test',
    LOG_LEVEL: 'CRITICAL',
    AUDIT_LOG: 'false',
    // Nobody answers there. One built-in tool is called, and its error is an answer as good as any.
    DJANGO_BASE_URL: 'http://127.0.0.1:9',
    DJANGO_API_KEY: 'conformance.0123456789abcdef',
    DJANGO_MAX_RETRIES: 0,
    RATE_LIMIT_REQUESTS: 1_000_000,
    PORT: port,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    TMP_DIR: '/tmp/mcp_server_conformance'
  })
  const app = Fastify(serverOptions(loaded.config))
  // With fp, so that the catalog is in reach: a scenario has it change.
  await app.register(fp(djangoMcpServer), { loaded, ...fixture(() => { app.catalogs.replace(app.catalog) }) })
  return { app, url: `${await app.listen({ host: '127.0.0.1', port })}/mcp` }
}

function counted (count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function print ({ scenario, passed, successes, failures, warnings, reasons, differences }: Verdict): void {
  const word = differences.length > 0 ? 'DIFFERS' : passed ? 'passed' : 'expected'
  const counts = [
    `${successes} passed`,
    ...(failures > 0 ? [`${failures} failed`] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : [])
  ]
  process.stdout.write(`  ${word.padEnd(8)} ${scenario}: ${counts.join(', ')}\n`)
  for (const reason of reasons) process.stdout.write(`             ${reason}\n`)
  for (const difference of differences) process.stdout.write(`           ! ${difference}\n`)
}

function share (verdicts: readonly Verdict[]): string {
  return `${verdicts.filter(({ passed }) => passed).length} of ${verdicts.length}`
}

const expected = await readExpected()
const { app, url } = await start()
const totals: string[] = []
let differences = 0
try {
  for (const { revision, beside } of revisions) {
    const results = await runSuite(url, revision)
    const mayFail: Expected = expected.get(revision) ?? new Map()
    const verdictsOn = (scenarios: readonly string[]): Verdict[] => (
      scenarios.map((scenario) => judge(scenario, results.get(scenario), mayFail))
    )
    const required = verdictsOn(await requiredScenarios(revision))
    const others = verdictsOn(beside)
    process.stdout.write(`${revision}, required:\n`)
    required.forEach(print)
    if (others.length > 0) process.stdout.write(`${revision}, not required:\n`)
    others.forEach(print)
    const all = [...required, ...others]
    const stray = strays(mayFail, all.map(({ scenario }) => scenario))
    for (const entry of stray) process.stdout.write(`           ! there is no scenario for the entry ${entry}\n`)
    totals.push([
      `${revision}: ${share(required)} required`,
      ...(others.length > 0 ? [`${share(others)} not required`] : []),
      `${all.reduce((sum, { successes }) => sum + successes, 0)} checks passed`
    ].join(', '))
    differences += all.filter((verdict) => verdict.differences.length > 0).length + stray.length
  }
} finally {
  await app.close()
}

process.stdout.write(`\nConformance suite ${await suiteVersion()}\n${totals.join('\n')}\n`)
process.stdout.write(differences === 0 ? 'Everything is as expected.\n' : `${counted(differences, 'difference')} from test/conformance/expected-failures.yaml.\n`)
process.exitCode = differences === 0 ? 0 : 1
