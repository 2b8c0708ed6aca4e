import { type Weir, openWeir } from '@weir/local/testing'
import { expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { type Attempt, askedInBackground, rawCallsOf, shown, untilStatus } from './testing/completions.ts'
import { asking, customerOf, plainTextOf } from './testing/customer.ts'
import { listening } from './testing/events.ts'
import { patiently } from './testing/patiently.ts'
import { openUpstream } from './testing/upstream.ts'

const counting = { WEIR_METRICS_PORT: '0' }
/** A worker that died is missed soon; so may be one that lives, where the machine is busy. */
const missedSoon = { ...counting, WEIR_LOCK_MS: '3000', WEIR_STALLED_INTERVAL_MS: '500' }

/** What the worker that was started last counts. */
async function counted(weir: Weir, metric: string): Promise<string[]> {
  const { metricsPort } = weir.workers.at(-1)!
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith(metric))
}

const timesOf = ({ started_at, ended_at }: Attempt) => [started_at, ended_at].map((at) => at && Date.parse(at))

test('a completion tells every attempt at it: who tried, when, with what and how it ended', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), workerEnv: missedSoon })
  const { client, charges } = await customerOf(weir)
  const began = Date.now()
  const asked = client.chat.completions.create({ ...asking('upstream'), store: true })
  ;(await upstream.nextCall()).say('Half an ans')
  await weir.startWorker()

  weir.workers[0]!.kill('SIGKILL')
  const call = await upstream.nextCall()
  call.say('A whole answer.')
  call.finish()
  const completion = await asked

  expect(plainTextOf(completion)).toBe('A whole answer.')
  expect(await charges()).toEqual([0.003])
  const { attempts } = await shown(client, completion.id)
  const [lost, last] = attempts as [Attempt, Attempt]
  expect(attempts).toEqual([
    { ...lost, attempt: 1, outcome: 'lost', ended_at: null, target: null, error: null },
    { ...last, attempt: 2, outcome: 'completed', target: 'upstream/words', error: null },
  ])
  expect(lost.worker).toContain(String(weir.workers[0]!.pid))
  expect(last.worker).toContain(String(weir.workers[1]!.pid))
  const [lostAt, startedAt, endedAt] = [timesOf(lost)[0], ...timesOf(last)]
  expect([began, lostAt, startedAt, endedAt, Date.now()]).toEqual(
    [began, lostAt, startedAt, endedAt, Date.now()].toSorted((a, b) => Number(a) - Number(b)),
  )
  expect(await counted(weir, 'weir_attempts_total')).toEqual(['weir_attempts_total{end="completed"} 1'])
})

test('a stream that its worker left in the middle tells so, and what was generated in vain is counted', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), workerEnv: missedSoon })
  const { apiKey, client, charges } = await customerOf(weir)
  const response = await rawCallsOf(weir, apiKey).create({ ...asking('upstream'), stream: true })
  const reader = listening(response)
  ;(await upstream.nextCall()).say('One two three four')
  await expect.poll(reader.text, patiently).toBe('One two three four')
  await weir.startWorker()

  weir.workers[0]!.kill('SIGKILL')
  await reader.end

  const ended = await shown(client, response.headers.get('x-weir-completion-id')!)
  expect(ended).toMatchObject({
    status: 'failed',
    error: { code: 'stream_interrupted' },
    attempts: [{ attempt: 1, outcome: 'lost' }],
  })
  expect(await charges()).toEqual([])
  expect(await counted(weir, 'weir_wasted_tokens_total')).toEqual(['weir_wasted_tokens_total{why="killed"} 4'])
})

test('an attempt that failed tells why, and the tokens of one that broke off are counted, not charged', async () => {
  const stumbling = { ...quick, fault: 'break', fault_times: 1, fault_after_tokens: 5 }
  await using weir = await openWeir({ config: catalogueOf({ stumbling }), workerEnv: counting })
  const { client, charges } = await customerOf(weir)

  const { id } = await askedInBackground(client, 'stumbling')
  const { attempts, usage } = await untilStatus(client, id, 'completed')

  expect(attempts).toMatchObject([
    { attempt: 1, outcome: 'failed', error: 'backend_error' },
    { attempt: 2, outcome: 'completed', error: null },
  ])
  expect(usage).toMatchObject({ completion_tokens: 24, credits_consumed: 0.053 })
  expect(await charges()).toEqual([0.053])
  expect(await counted(weir, 'weir_attempts_total')).toEqual([
    'weir_attempts_total{end="failed"} 1',
    'weir_attempts_total{end="completed"} 1',
  ])
  const [wasted] = await counted(weir, 'weir_wasted_tokens_total')
  expect(wasted).toMatch(/^weir_wasted_tokens_total\{why="failed"\} [1-9]/)
})
