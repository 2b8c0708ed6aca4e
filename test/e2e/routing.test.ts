import { type Weir, openWeir } from '@weir/local/testing'
import { expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { type Shown, askedInBackground, errorOf, rawCallsOf, shown, untilStatus } from './testing/completions.ts'
import { asking, customerOf, plainTextOf, textOf } from './testing/customer.ts'
import { callsOf } from './testing/operator.ts'
import { patiently } from './testing/patiently.ts'
import { openRefusing } from './testing/refusing.ts'
import { openUpstream } from './testing/upstream.ts'

type Routing = {
  requested?: string
  model: string
  target: string | null
  tried: { attempt: number; target: string; error: string }[]
}
type Backend = {
  name: string
  slots: { limit: number; in_use: number } | null
  targets: {
    target: string
    cooling_until: string | null
    workers: { breaker: string; successes: number; failures: number; last_error: { code: string } | null }[]
  }[]
}

const routingOf = (completion: Shown): Routing => (completion as unknown as { routing: Routing }).routing

const backendsOf = async (weir: Weir): Promise<Backend[]> =>
  (await callsOf(weir).get<{ data: Backend[] }>('backends')).body.data

const targetOf = async (weir: Weir, name: string) =>
  (await backendsOf(weir)).flatMap(({ targets }) => targets).find(({ target }) => target === name)

/** Says the same to whoever asks. */
const openAnswering = (text: string) =>
  openUpstream((call) => {
    call.say(text)
    call.finish()
  })

/** One model on several backends, in this order. */
const oneModel = (backends: Record<string, object>, model: object = {}) =>
  catalogueOf(backends, {
    [Object.keys(backends)[0]!]: {
      id: 'river',
      targets: Object.keys(backends).map((name) => ({ backend: name, model: 'words' })),
      ...model,
    },
  })

test('a target that fails before its first word is replaced unseen, and the completion tells how it was routed', async () => {
  await using broken = await openRefusing(500)
  await using spare = await openAnswering('From the spare.')
  await using weir = await openWeir({ config: oneModel({ broken: openai(broken), spare: openai(spare) }) })
  const { client } = await customerOf(weir)
  const asked = client.chat.completions.create({ ...asking('river'), stream: true }).withResponse()

  const { data, response } = await asked

  expect(await textOf(data)).toBe('From the spare.')
  const completion = await shown(client, response.headers.get('x-weir-completion-id')!)
  expect(completion).toMatchObject({ served_by: 'spare/words', attempts: [{ attempt: 1, outcome: 'completed' }] })
  expect(routingOf(completion)).toEqual({
    requested: 'river',
    model: 'river',
    target: 'spare/words',
    tried: [{ attempt: 1, target: 'broken/words', error: 'backend_error' }],
  })
})

test('a vendor that tells one worker to wait is left alone by all of them, and the requests go elsewhere', async () => {
  await using busy = await openRefusing(429, { 'retry-after': '50' })
  await using spare = await openAnswering('From the spare.')
  await using weir = await openWeir({ config: oneModel({ busy: openai(busy), spare: openai(spare) }) })
  const { client } = await customerOf(weir)
  await client.chat.completions.create(asking('river'))
  await weir.startWorker()
  await weir.workers[0]!.stop()

  const { id } = await askedInBackground(client, 'river')
  const completion = await untilStatus(client, id, 'completed')

  expect(plainTextOf(completion)).toBe('From the spare.')
  expect(routingOf(completion)).toMatchObject({
    target: 'spare/words',
    tried: [{ target: 'busy/words', error: 'cooling_down' }],
  })
  expect(busy.calls()).toBe(1)
  const { cooling_until } = (await targetOf(weir, 'busy/words'))!
  expect(Date.parse(cooling_until!)).toBeGreaterThan(Date.now())
})

test('when all vendors want to be left alone a request waits for them and counts no attempt', async () => {
  await using upstream = await openAnswering('At last.')
  await using busy = await openRefusing(429, { 'retry-after': '5' })
  const config = catalogueOf(
    { busy: openai(busy), upstream: openai(upstream) },
    // Both are of one account with their vendor.
    {
      busy: { targets: [{ backend: 'busy', model: 'words', quota_group: 'vendor' }] },
      upstream: { targets: [{ backend: 'upstream', model: 'words', quota_group: 'vendor' }] },
    },
  )
  await using weir = await openWeir({ config, workerEnv: { WEIR_MAX_ATTEMPTS: '1' } })
  const { client } = await customerOf(weir)
  await expect(client.chat.completions.create(asking('busy'))).rejects.toMatchObject({ status: 503 })
  const refusals = busy.calls()

  const { id } = await askedInBackground(client, 'upstream')
  const completion = await untilStatus(client, id, 'completed')

  expect(refusals).toBe(1)
  expect(completion.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
    [1, 'handed_back'],
    [1, 'completed'],
  ])
  expect(routingOf(completion).tried).toEqual([{ attempt: 1, target: 'upstream/words', error: 'cooling_down' }])
})

test('a request whose vendor wants to be left alone past its deadline fails at once, and says when to come back', async () => {
  await using busy = await openRefusing(429, { 'retry-after': '50' })
  await using weir = await openWeir({ config: catalogueOf({ busy: openai(busy) }) })
  const { client, apiKey } = await customerOf(weir)
  const impatient = () => rawCallsOf(weir, apiKey).create(asking('busy'), { 'x-weir-timeout': '20' })
  await impatient()

  const answer = await impatient()

  expect(answer.status).toBe(503)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(20)
  expect(busy.calls()).toBe(1)
  const completion = await shown(client, answer.headers.get('x-weir-completion-id')!)
  expect(completion).toMatchObject({
    status: 'failed',
    attempts: [{ outcome: 'failed', ended_at: expect.any(String) }],
  })
  expect(routingOf(completion).tried).toEqual([{ attempt: 1, target: 'busy/words', error: 'cooling_down' }])
})

test('a backend that refuses our key is asked once', async () => {
  await using strict = await openRefusing(401)
  await using weir = await openWeir({ config: catalogueOf({ strict: openai(strict) }) })
  const { client } = await customerOf(weir)

  const refused = client.chat.completions.create(asking('strict'))

  await expect(refused).rejects.toMatchObject({ status: 502, code: 'backend_error' })
  expect(strict.calls()).toBe(1)
})

test('operators see how each target does and how many slots are taken', async () => {
  await using broken = await openRefusing(500)
  await using upstream = await openUpstream()
  const config = oneModel({
    broken: openai(broken),
    upstream: { ...openai(upstream), slots: 3 },
    idle: openai(upstream),
  })
  await using weir = await openWeir({ config })
  const { client } = await customerOf(weir)

  const asked = client.chat.completions.create(asking('river'))
  const call = await upstream.nextCall()
  call.say('Half an ans')
  await expect
    .poll(async () => (await targetOf(weir, 'upstream/words'))?.workers, patiently)
    .toMatchObject([{ breaker: 'closed', successes: 1, failures: 0, last_error: null }])
  const backends = await backendsOf(weir)
  call.finish()
  await asked

  expect(backends.map(({ name, slots }) => [name, slots])).toEqual([
    ['broken', null],
    ['upstream', { limit: 3, in_use: 1 }],
    ['idle', null],
  ])
  expect(await targetOf(weir, 'broken/words')).toMatchObject({
    cooling_until: null,
    workers: [{ breaker: 'closed', successes: 0, failures: 1, last_error: { code: 'backend_error' } }],
  })
  expect((await targetOf(weir, 'idle/words'))?.workers).toEqual([])
})

test('a virtual id, a target by its name and what no model can do', async () => {
  const handyTargets = ['plain', 'handy'].map((backend) => ({ backend, model: 'words' }))
  const handy = { targets: handyTargets, direct: true, price: { input: 9, output: 9 } }
  const models = { plain: { capabilities: ['seed'] }, handy }
  const config = JSON.stringify({
    ...(JSON.parse(catalogueOf({ plain: quick, handy: quick }, models)) as object),
    rules: [
      {
        id: 'best',
        models: ['handy', 'plain'],
        pick: 'first',
        when: [{ if: { max_prompt_tokens: 50 }, models: ['plain', 'handy'] }],
      },
    ],
    default_model: 'best',
  })
  await using weir = await openWeir({ config })
  const { client, apiKey } = await customerOf(weir)
  const served = async (body: object) => {
    const completion = await client.chat.completions.create({ ...asking('best'), ...body })
    const { requested, target } = routingOf(await shown(client, completion.id))
    return [completion.model, requested, target]
  }
  const tools = [{ type: 'function' as const, function: { name: 'look' } }]

  expect(await served({})).toEqual(['plain', 'best', 'plain/words'])
  expect(await served({ model: 'auto', tools })).toEqual(['handy', 'auto', 'plain/words'])
  expect(await served({ ...asking('best', 'river '.repeat(200)) })).toEqual(['handy', 'best', 'plain/words'])
  expect(await served({ model: 'handy/words' })).toEqual(['handy', 'handy/words', 'handy/words'])
  const refused = await rawCallsOf(weir, apiKey).create({ ...asking('plain'), tools })
  expect(await errorOf(refused)).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'tools' })
})
