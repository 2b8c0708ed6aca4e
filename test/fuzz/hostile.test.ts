import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dialects, MODEL } from './dialects.ts'
import { paramOfRefusal } from './envelope.ts'
import { hostileBodies, largeBodies, tooLarge } from './hostile-bodies.ts'
import { openPlace, type Place } from './place.ts'

let place: Place

beforeAll(async () => {
  place = await openPlace()
})
afterAll(() => place?.[Symbol.asyncDispose]())

const asking = JSON.stringify({ model: MODEL, max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] })

describe.each(dialects)('in the words of $name', (dialect) => {
  test.each(hostileBodies)('$why is refused like any mistake, or answered', async ({ body, headers, statuses }) => {
    const answer = await place.send(dialect, body, headers)

    if (statuses) expect(answer.status, answer.text).toBeOneOf(statuses)
    if (answer.status !== 200) paramOfRefusal(dialect, answer)
    expect((await place.send(dialect, asking)).status).toBe(200)
  })

  test('large bodies are refused or answered, and nothing of them stays', async () => {
    const round = async () => {
      for (const { body, statuses } of largeBodies) {
        const answer = await place.send(dialect, body)
        expect(answer.status, answer.text).toBeOneOf(statuses!)
        if (answer.status >= 400 && answer.status < 500) paramOfRefusal(dialect, answer)
      }
      return megabytesOf(place.weir.apis[0]!.pid!)
    }
    // The first round gives the process the room that it needs for such bodies.
    const [before, , after] = [await round(), await round(), await round()]

    // Each round brings sixty.
    expect(after).toBeLessThan(before + 110)
    expect((await place.send(dialect, asking)).status).toBe(200)
  })

  test('a body that is larger than any may be is not read', async () => {
    const outcome = await place.send(dialect, tooLarge.body).catch((error: Error) => error)

    if (outcome instanceof Error) expect(outcome.message).toBe('fetch failed')
    else expect(outcome.status).toBe(413)
    expect((await place.send(dialect, asking)).status).toBe(200)
  })
})

test('whatever was sent, nobody else is served differently', async () => {
  for (const dialect of dialects) {
    const { status, text } = await place.send(dialect, asking)
    expect(status).toBe(200)
    expect(text).not.toContain('polluted')
  }
})

const megabytesOf = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024
