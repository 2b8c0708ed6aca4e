import { openWeir, type Weir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, clientOf, customerOf, plainTextOf, revokeKeysOf, statusOf, textOf } from './testing/customer.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'

let echo: Upstream
let weir: Weir

beforeAll(async () => {
  echo = await openUpstream(echoing)
  weir = await openWeir({
    config: catalogueOf({ echo: openai(echo) }),
    apis: 2,
    workers: 2,
    apiEnv: { WEIR_KEY_CACHE_MS: '30000' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await echo?.[Symbol.asyncDispose]()
})

/** Says what it was asked, word by word, and uses as many tokens. */
async function echoing(call: UpstreamCall) {
  const words = call.prompt.split(' ')
  for (const word of words) {
    call.say(`${word} `)
    await new Promise((resolve) => setImmediate(resolve))
  }
  call.finish({ prompt: words.length, completion: words.length })
}

test('a hundred calls over two replicas and two workers each get their own answer and are charged once', async () => {
  const { apiKey, charges, credits } = await customerOf(weir, { credits: 10_000 })
  const clients = weir.urls.map((url) => clientOf(apiKey, url))
  const asked = Array.from({ length: 100 }, async (_, n) => {
    const prompt = Array.from({ length: 1 + (n % 30) }, (_, i) => `word-${n}-${i}`).join(' ')
    const client = clients[n % 2]!
    const stream = n % 3 !== 0
    const answer = stream
      ? await textOf(await client.chat.completions.create({ ...asking('echo', prompt), stream }))
      : plainTextOf(await client.chat.completions.create(asking('echo', prompt)))
    return { prompt, answer, cost: (1 + (n % 30)) * 3_000 }
  })

  const answers = await Promise.all(asked)

  for (const { prompt, answer } of answers) expect(answer).toBe(`${prompt} `)
  const expected = answers.map(({ cost }) => cost)
  expect((await charges()).map(microcredits).sort(byNumber)).toEqual(expected.sort(byNumber))
  const { balance, reserved } = await credits()
  expect(microcredits(balance)).toBe(10_000_000_000 - sumOf(expected))
  expect(reserved).toBe(0)
})

test('a key that is revoked at one replica is refused by the other, which is told of it', async () => {
  const { apiKey, accountId } = await customerOf(weir)
  const other = clientOf(apiKey, weir.urls[1]!)
  await other.models.list()

  await revokeKeysOf(weir, accountId, weir.urls[0])

  // Sooner than its own memory of the key would have ended.
  await expect.poll(() => statusOf(other), { ...patiently, timeout: 20_000 }).toBe(401)
})

const microcredits = (credits: number) => Math.round(credits * 1e6)
const sumOf = (amounts: number[]) => amounts.reduce((sum, amount) => sum + amount, 0)
const byNumber = (a: number, b: number) => a - b
