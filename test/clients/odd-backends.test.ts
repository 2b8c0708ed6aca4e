import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asking, clientOf, textOf } from '../e2e/testing/customer.ts'
import { failureOf } from '../e2e/testing/failure.ts'
import { kinds } from './mock-backend/answer.ts'
import { VENDOR_SECRET } from './mock-backend/open-mock-backend.ts'
import { echoOf, FOREIGN, HUGE } from './mock-backend/scripts.ts'
import { modelNamed, openPlace, type Place } from './place.ts'

const whole = ['echo', 'crlf', 'comments', 'no-done', 'absurd-usage', 'no-usage', 'reasoning'] as const
const texts = { bytewise: FOREIGN, huge: HUGE }
const cut = ['break', 'eof'] as const
const refused = [
  ['http-400', 400, 'invalid_request'],
  ['http-401', 502, 'backend_error'],
  ['http-402', 502, 'backend_error'],
  ['http-403', 502, 'backend_error'],
  ['http-404', 502, 'backend_error'],
  ['http-413', 400, 'invalid_request'],
  ['http-429', 503, 'backend_overloaded'],
  ['http-500', 502, 'backend_error'],
  ['http-503', 503, 'backend_overloaded'],
  ['http-529', 503, 'backend_overloaded'],
  ['break-first', 502, 'backend_error'],
] as const

let place: Place

beforeAll(async () => {
  const scripts = [
    ...whole,
    ...Object.keys(texts),
    ...cut,
    'hang-midway',
    'refusal',
    'long',
    ...refused.map(([name]) => name),
  ]
  place = await openPlace(scripts.map((script) => ({ script, maxOutputTokens: 200_000 })))
})
afterAll(() => place?.[Symbol.asyncDispose]())

const clientOfPlace = () => clientOf(place.customer.apiKey, place.weir.url)

describe.concurrent.each(kinds)('a backend that speaks as %s', (kind) => {
  test.each(whole)('and plays %s is understood to the last word, plain and streamed', async (script) => {
    const client = clientOfPlace()
    const question = asking(modelNamed(kind, script), `${FOREIGN} (${script})`)

    const plain = await client.chat.completions.create(question)
    const streamed = await textOf(await client.chat.completions.create({ ...question, stream: true }))

    expect(plain.choices[0]?.message.content).toBe(echoOf(question.messages[0]!.content))
    expect(streamed).toBe(plain.choices[0]?.message.content)
    expect(plain.choices[0]?.finish_reason).toBe('stop')
  })

  test.each(Object.entries(texts))('and plays %s has its text passed on undamaged', async (script, text) => {
    const client = clientOfPlace()
    const question = asking(modelNamed(kind, script))

    const plain = await client.chat.completions.create(question)
    const streamed = await textOf(await client.chat.completions.create({ ...question, stream: true }))

    expect(plain.choices[0]?.message.content === text).toBe(true)
    expect(streamed === text).toBe(true)
  })

  test('and says nothing, or nonsense, of what it used is charged for what was counted', async () => {
    const client = clientOfPlace()
    for (const script of ['no-usage', 'absurd-usage']) {
      const { usage } = await client.chat.completions.create(asking(modelNamed(kind, script), 'Rivers'))

      expect(usage?.prompt_tokens, script).toBeGreaterThan(0)
      expect(usage?.completion_tokens, script).toBeGreaterThan(0)
      expect(usage?.completion_tokens, script).toBeLessThan(20)
      expect(usage?.total_tokens, script).toBe(usage!.prompt_tokens + usage!.completion_tokens)
    }
  })

  test('and reasons has its thoughts passed on apart from its words', async () => {
    const { choices } = await clientOfPlace().chat.completions.create(asking(modelNamed(kind, 'reasoning'), 'Rivers'))

    expect(choices[0]?.message).toMatchObject({
      content: 'You said: Rivers',
      reasoning_content: 'Rivers run to the sea.',
    })
  })

  test('and declines, or runs out of tokens, ends its answer so', async () => {
    const client = clientOfPlace()
    const declined = await client.chat.completions.create(asking(modelNamed(kind, 'refusal')))
    const long = await client.chat.completions.create(asking(modelNamed(kind, 'long')))

    const { content, refusal } = declined.choices[0]!.message
    expect(refusal ?? content).toBe('I will not say that.')
    expect(long.choices[0]).toMatchObject({ message: { content: 'The river is' }, finish_reason: 'length' })
  })

  test.each(cut)('and plays %s has not answered, and its words are not sold as an answer', async (script) => {
    const client = clientOfPlace()
    const question = asking(modelNamed(kind, script))

    expect((await failureOf(client.chat.completions.create(question))).status).toBe(502)
    await failureOf(client.chat.completions.create({ ...question, stream: true }).then(textOf))
  })

  test.each(refused)(
    'and plays %s is a %i %s to a customer, who learns nothing of the vendor',
    async (script, status, code) => {
      const failure = await failureOf(clientOfPlace().chat.completions.create(asking(modelNamed(kind, script))))

      expect(failure).toMatchObject({ status, code })
      expect(JSON.stringify([failure.message, failure.error])).not.toMatch(new RegExp(`${VENDOR_SECRET}|org-vendor`))
    },
  )
})
