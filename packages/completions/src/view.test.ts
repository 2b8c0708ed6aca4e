import { type CompletionJob, ServiceError, newAccountId, newCompletionId, noUsage, textOfAnswer } from '@weir/contracts'
import { expect, test } from 'vitest'
import { cancel } from './cancel.ts'
import { finish } from './finish.ts'
import { interruptedOutcome } from './outcomes.ts'
import { answering, holding, playing, text, unasked } from './testing/backend.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'
import { statusesOf, viewOf } from './view.ts'

const streaming = requestOf({ stream: true })
const kept = { keepMs: 60_000 }
const view = (service: ServiceFixture, { accountId, id }: CompletionJob) => viewOf(service, accountId, id)
const textsIn = (shown: Awaited<ReturnType<typeof view>>) => shown?.choices.map(textOfAnswer)

test('one that waits says how many are before it', async () => {
  await using service = await serviceFixture()
  const [first, second] = [await service.submitted(), await service.submitted()]

  expect(await view(service, first)).toMatchObject({ status: 'queued', queuePosition: 0, choices: [], attempts: [] })
  expect(await view(service, second)).toMatchObject({ status: 'queued', queuePosition: 1 })
})

test('the name that was asked for is told from the beginning to the end', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), { requested: 'auto' })

  expect(await view(service, job)).toMatchObject({ status: 'queued', requested: 'auto' })
  expect(await statusesOf(service, [(await view(service, job))!.record])).toMatchObject([{ requested: 'auto' }])
  await service.run(job, answering)
  await service.relay.discard(job.id)
  expect(await view(service, job)).toMatchObject({ status: 'completed', requested: 'auto' })
})

test.each([
  ['one that failed', playing(new ServiceError('backend_error', 'The backend is on fire.')), 'The backend is on fire.'],
  ['one whose request was refused', playing(new ServiceError('invalid_request', 'No such pipe.')), 'No such pipe.'],
])('why it ended is told in the same words once its result is no longer kept: %s', async (_, play, message) => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.run(job, play, { maxAttempts: 1 })
  expect((await service.relay.recordOf(job.id))?.outcome?.error).toMatchObject({ message })

  await service.relay.discard(job.id)

  expect(await view(service, job)).toMatchObject({ status: 'failed', error: { message } })
  const { record } = (await view(service, job))!
  expect(await statusesOf(service, [record])).toMatchObject([{ error: { message } }])
})

test('so is why one ended that nobody has begun', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await cancel(service, job.id)
  const told = (await service.relay.recordOf(job.id))?.outcome?.error

  await service.relay.discard(job.id)

  expect(told).toMatchObject({ code: 'cancelled', message: expect.any(String) })
  expect(await view(service, job)).toMatchObject({ status: 'cancelled', error: told })
})

test('one that Redis does not know yet, or any more, is queued at no place', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()

  expect(await view(service, job)).toMatchObject({ status: 'queued', queuePosition: undefined, attempts: [] })
})

test('one that runs shows its attempt, and nothing of what it says', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const backend = holding(text('Water'))
  const running = service.run(job, backend.play)
  await backend.reached

  expect(await view(service, job)).toMatchObject({
    status: 'in_progress',
    queuePosition: undefined,
    choices: [],
    attempts: [{ attempt: 1, worker: 'worker' }],
  })
  backend.release()
  await running
})

test('one that is decided and not yet settled still runs', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.relay.claim(job.id, service.worker, 3)
  await service.relay.prepare(job.id, 1, interruptedOutcome())

  expect(await view(service, job)).toMatchObject({ status: 'in_progress' })
})

test('one that waits for its next attempt is queued, and shows the attempts before', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.run(job, playing(new Error('no answer')))

  const shown = await view(service, job)

  expect(shown).toMatchObject({ status: 'queued', attempts: [{ attempt: 1, end: 'failed' }] })
})

test.each([
  ['plain', requestOf(), {}],
  ['plain, kept', requestOf(), kept],
  ['streamed', streaming, {}],
  ['streamed, kept', streaming, kept],
])('one that has completed shows its text while Redis knows it: %s', async (_, request, given) => {
  await using service = await serviceFixture()
  const job = await service.submitted(request, given)
  await service.run(job, answering)

  const shown = await view(service, job)

  expect(textsIn(shown)).toEqual(['Water is lazy.'])
  expect(shown).toMatchObject({
    status: 'completed',
    error: undefined,
    record: { end: { charged: 20n } },
    attempts: [{ attempt: 1, end: 'completed', target: 'gpu/small' }],
  })
})

test('what was kept is shown when Redis has forgotten it, and what was not is known without its text', async () => {
  await using service = await serviceFixture()
  const [keptOne, other] = [await service.submitted(streaming, kept), await service.submitted()]
  for (const job of [keptOne, other]) {
    await service.run(job, answering)
    await service.relay.discard(job.id)
  }

  expect(textsIn(await view(service, keptOne))).toEqual(['Water is lazy.'])
  expect(await view(service, other)).toMatchObject({
    status: 'completed',
    choices: [],
    record: { end: { charged: 20n } },
  })
})

test('a stream of many frames is shown whole', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const epoch = 1
  await service.relay.claim(job.id, service.worker, 3)
  const sequences = Array.from({ length: 1_001 }, (_, i) => i + 1)
  await Promise.all(
    sequences.map((sequence) => service.relay.emit(job.id, { epoch, sequence, chunks: [text(`${sequence} `)] })),
  )
  const choices = [{ index: 0, parts: [], finishReason: 'stop' as const }]
  await finish(service, { ...job, epoch }, { state: 'completed', usage: noUsage, cost: 0n, choices })

  expect(textsIn(await view(service, job))).toEqual([sequences.map((sequence) => `${sequence} `).join('')])
})

test.each([kept, {}])('one that did not complete says why: %j', async (given) => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), given)
  await cancel(service, job.id)
  const whileKnown = await view(service, job)
  await service.relay.discard(job.id)

  expect(whileKnown).toMatchObject({ status: 'cancelled', choices: [], error: { code: 'cancelled' }, attempts: [] })
  expect(await view(service, job)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } })
})

test('one of somebody else, one that never was and one that was deleted are not there', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), kept)
  await service.run(job, answering)

  expect(await view(service, { ...job, accountId: newAccountId() })).toBeUndefined()
  expect(await view(service, { ...job, id: newCompletionId() })).toBeUndefined()
  await service.keptCompletions.forget(job.accountId, job.id)
  expect(await view(service, job)).toBeUndefined()
})

test('a listing says how each stands, without its text', async () => {
  await using service = await serviceFixture()
  const [ended, cancelled, waiting] = [await service.submitted(), await service.submitted(), await service.submitted()]
  await service.run(ended, answering)
  await cancel(service, cancelled.id)
  await service.run(cancelled, unasked)
  const page = { limit: 10, order: 'asc' } as const
  const records = await service.completionRecords.list(service.accountId, {}, page)

  const statuses = await statusesOf(service, records)

  expect(statuses.map(({ record, status }) => [record.id, status])).toEqual([
    [ended.id, 'completed'],
    [cancelled.id, 'cancelled'],
    [waiting.id, 'queued'],
  ])
  expect(statuses.flatMap(({ choices }) => choices)).toEqual([])
  expect(statuses[1]).toMatchObject({ error: { code: 'cancelled' } })
})
