import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dialects } from './dialects.ts'
import { paramOfRefusal } from './envelope.ts'
import { mutated } from './mutations.ts'
import { openPlace, type Place } from './place.ts'
import { fuzzed } from './fuzz-config.ts'

let place: Place

beforeAll(async () => {
  place = await openPlace()
})
afterAll(() => place?.[Symbol.asyncDispose]())

describe.each(dialects)('in the words of $name', (dialect) => {
  test('a body that the schema accepts is answered', async () => {
    await fuzzed(dialect.valid, async (body) => {
      const answer = await place.send(dialect, JSON.stringify(body))

      expect(answer.status, answer.text).toBe(200)
      // A stream tells its failure after the status.
      expect(answer.text).not.toMatch(/^event: error|^data: \{"error"/m)
    })
  })

  test('a body that the schema rejects is a 400 that names the field', async () => {
    await fuzzed(mutated(dialect.valid), async (body) => {
      const verdict = dialect.verdictOn(body)
      const answer = await place.send(dialect, JSON.stringify(body))

      if (verdict.success) {
        // The model may be another one now, or too small: that is no matter of the shape.
        expect(answer.status, answer.text).toBeOneOf([200, 202, 400, 404])
        return
      }
      const param = paramOfRefusal(dialect, answer)
      expect(answer.status, answer.text).toBe(400)
      const isSomewhere = verdict.error?.issues.every(({ path }) => path.length > 0)
      if (isSomewhere) expect(param, answer.text).toMatch(/./)
    })
  })
})

test('what a fuzz test generates is as various as the shape', () => {
  for (const { valid, name } of dialects) {
    const bodies = fc.sample(valid, { numRuns: 300, seed: 1 })
    const fields = new Set(bodies.flatMap((body) => Object.keys(body)))
    expect(fields.size, name).toBeGreaterThan(12)
  }
})
