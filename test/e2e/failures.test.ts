import { openWeir, type Weir } from '@weir/local/testing'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, hanging, quick } from './testing/catalogue.ts'
import { asking, customerOf, textOf } from './testing/customer.ts'
import { expectShortRetryAfter, failureOf, refusalOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'

let weir: Weir

beforeAll(async () => {
  weir = await openWeir({
    config: catalogueOf({
      quick,
      hanging,
      refusing: { ...quick, fault: 'refuse' },
      overloaded: { ...quick, fault: 'overload' },
      breaking: { ...quick, fault: 'break' },
      truncating: { ...quick, fault: 'truncate' },
      recovering: { ...quick, fault: 'refuse', fault_times: 1 },
      stumbling: { ...quick, fault: 'break', fault_times: 1 },
    }),
    apiEnv: { WEIR_COMPLETION_TIMEOUT_MS: '5000', WEIR_STREAM_TIMEOUT_MS: '5000' },
    workerEnv: { WEIR_MAX_ATTEMPTS: '2' },
  })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const untouched = { balance: 100, reserved: 0, available: 100 }

test.concurrent.each([
  ['refusing', false, 502, 'backend_error'],
  ['refusing', true, 502, 'backend_error'],
  ['overloaded', false, 503, 'backend_overloaded'],
  ['overloaded', true, 503, 'backend_overloaded'],
] as const)(
  'a %s backend fails the call (stream: %s) with a %i, and nothing is charged',
  async (model, stream, status, code) => {
    const { client, credits, charges } = await customerOf(weir)

    const ask = async () => {
      if (stream) return textOf(await client.chat.completions.create({ ...asking(model), stream }))
      return client.chat.completions.create(asking(model))
    }

    const failure = await failureOf(ask())

    if (!stream) expect(failure).toMatchObject({ status })
    if (!stream && status === 503) expectShortRetryAfter(failure)
    expect(failure).toMatchObject({ type: 'server_error', code })
    expect(failure.error).toMatchObject({ completion_id: expect.stringMatching(/^chatcmpl_/) })
    expect(await credits()).toEqual(untouched)
    expect(await charges()).toEqual([])
  },
)

test.concurrent('a backend that fails before its first word is asked again, and nobody notices', async () => {
  const { client, charges } = await customerOf(weir)
  const stream = await client.chat.completions.create({ ...asking('recovering'), stream: true })

  const text = await textOf(stream)

  expect(text).toMatch(/^Simulated answer/)
  expect(await charges()).toEqual([0.053])
})

test.concurrent('a plain call whose backend broke off runs again from the start and is charged once', async () => {
  const { client, charges } = await customerOf(weir)

  const completion = await client.chat.completions.create(asking('stumbling'))

  expect(completion.usage?.completion_tokens).toBe(24)
  expect(completion.choices[0]?.message.content?.match(/Simulated/g)).toHaveLength(1)
  expect(await charges(completion.id)).toEqual([0.053])
})

test.concurrent.each([['breaking'], ['truncating']])(
  'a stream that is %s after its first words ends in an error, never like a whole one, and is free',
  async (model) => {
    const { client, credits, charges } = await customerOf(weir)
    const stream = await client.chat.completions.create({ ...asking(model), stream: true })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    const reading = (async () => {
      for await (const chunk of stream) chunks.push(chunk)
    })()

    const failure = await failureOf(reading)

    expect(failure).toMatchObject({ type: 'server_error', code: 'stream_interrupted' })
    expect(failure.error).toMatchObject({ completion_id: chunks[0]?.id })
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toMatch(/^Simulated/)
    expect(chunks.some(({ choices }) => choices[0]?.finish_reason)).toBe(false)
    expect(await credits()).toEqual(untouched)
    expect(await charges()).toEqual([])
  },
)

test.concurrent('a plain call never shows half an answer: a backend that breaks off every time is a 502', async () => {
  const { client, credits } = await customerOf(weir)

  const refusal = await refusalOf(client.chat.completions.create(asking('breaking')))

  expect(refusal).toMatchObject({ status: 502, code: 'backend_error' })
  expect(await credits()).toEqual(untouched)
})

test.concurrent('an answer that does not come in time is a 504 that clients do not repeat, and is free', async ({
  expect,
}) => {
  const { client, credits, charges } = await customerOf(weir, { clientOptions: { maxRetries: 2 } })

  const refusal = await refusalOf(client.chat.completions.create(asking('hanging')))

  expect(refusal).toBeInstanceOf(OpenAI.InternalServerError)
  expect(refusal).toMatchObject({ status: 504, type: 'server_error', code: 'deadline_exceeded' })
  expect(refusal.headers?.get('x-should-retry')).toBe('false')
  expect(refusal.error).toMatchObject({ completion_id: expect.stringMatching(/^chatcmpl_/) })
  await expect.poll(credits, patiently).toEqual(untouched)
  expect(await charges()).toEqual([])
})

test.concurrent('a stream that does not begin in time ends in the same error', async ({ expect }) => {
  const { client, credits } = await customerOf(weir)
  const stream = await client.chat.completions.create({ ...asking('hanging'), stream: true })

  const failure = await failureOf(textOf(stream))

  expect(failure).toMatchObject({ type: 'server_error', code: 'deadline_exceeded' })
  await expect.poll(credits, patiently).toEqual(untouched)
})
