import { setTimeout as sleep } from 'node:timers/promises'
import { openWeir } from '@weir/local/testing'
import { expect, test } from 'vitest'
import { openBalancer } from './testing/balancer.ts'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { customerOf } from './testing/customer.ts'
import { keepAsking } from './testing/load.ts'
import { patiently } from './testing/patiently.ts'
import { type UpstreamCall, openUpstream } from './testing/upstream.ts'

/** Repeats what it was asked, a word every few milliseconds, after having thought for a while. */
async function echoSlowly(call: UpstreamCall) {
  const words = call.prompt.split(' ')
  await sleep(100)
  for (const word of words) {
    call.say(`${word} `)
    await sleep(15)
  }
  call.finish({ prompt: words.length, completion: words.length })
}

test('two APIs and three workers are replaced under load: no call fails, and each is charged once', async () => {
  await using upstream = await openUpstream(echoSlowly)
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    apis: 2,
    workers: 3,
    apiEnv: { WEIR_DRAIN_DELAY_MS: '1000' },
  })
  await using balancer = await openBalancer(() => weir.urls)
  await balancer.serving(weir.urls)
  const { apiKey, charges, credits } = await customerOf(weir, { credits: 100_000 })
  const load = keepAsking(apiKey, balancer.url)

  // A copy: those that come join the list.
  for (const old of weir.workers.slice()) {
    await weir.startWorker()
    old.kill('SIGTERM')
    expect(await old.exited).toEqual({ code: 0, signal: null })
  }
  for (const old of weir.apis.slice()) {
    const gone = weir.apis.indexOf(old)
    await weir.startApi()
    await balancer.serving(weir.urls.slice(gone))
    old.kill('SIGTERM')
    expect(await old.exited).toEqual({ code: 0, signal: null })
  }
  await load.stop()

  expect(load.failed).toEqual([])
  expect(load.answered.length).toBeGreaterThan(100)
  for (const { prompt, text } of load.answered) expect(text).toBe(`${prompt} `)
  const expected = load.answered.map(({ prompt }) => prompt.split(' ').length * 3_000).sort(byNumber)
  const charged = async () => (await charges()).map((cost) => Math.round(cost * 1e6)).sort(byNumber)
  await expect.poll(charged, patiently).toEqual(expected)
  expect((await credits()).reserved).toBe(0)
})

const byNumber = (a: number, b: number) => a - b
