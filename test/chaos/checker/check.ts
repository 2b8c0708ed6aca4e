import { casesOf, type Evidence, type Violation } from './evidence.ts'
import { checkBackground } from './check-background.ts'
import { checkBatches } from './check-batches.ts'
import { checkCharges } from './check-charges.ts'
import { checkEnds } from './check-ends.ts'
import { checkKeyed } from './check-keyed.ts'
import { checkProcesses } from './check-processes.ts'
import { checkPromises } from './check-promises.ts'
import { checkTexts } from './check-texts.ts'
import { checkWebhooks } from './check-webhooks.ts'
import { checkWorth } from './check-worth.ts'

const ofEachCase = [checkTexts, checkCharges, checkPromises, checkKeyed, checkBackground]

/** Everything that is not as it must always be. */
export function check(evidence: Evidence): Violation[] {
  return [
    ...checkEnds(evidence),
    ...casesOf(evidence).flatMap((one) => ofEachCase.flatMap((rule) => rule(one, evidence))),
    ...checkBatches(evidence),
    ...checkWebhooks(evidence),
    ...booksOf(evidence),
    ...checkProcesses(evidence),
    ...checkWorth(evidence),
  ]
}

function booksOf({ books }: Evidence): Violation[] {
  return [
    ...books.findings.map(({ invariant, subject, message }) => ({
      rule: `books: ${invariant}`,
      message: `${subject}: ${message}`,
    })),
    ...books.unbalanced.map((message) => ({ rule: 'books', message })),
  ]
}
