import { checks as all, type Check } from './checks/index.ts'
import type { Outcome } from './outcome.ts'
import type { Service } from './service.ts'
import { Subject, type Maker } from './subject.ts'

export interface Judged {
  readonly check: Check
  readonly outcome: Outcome
}

/** Holds checks against a document, one after the other, since they share a server. */
export async function * judge (name: string, document: unknown, service: Service, checks: readonly Check[] = all, maker?: Maker): AsyncGenerator<Judged> {
  const subject = new Subject(name, document, service, maker)
  for (const check of checks) {
    yield { check, outcome: await check.run(subject, service) }
  }
}
