import { expect, test } from 'vitest'
import { USAGE_COST, answering, holding, text } from './testing/backend.ts'
import { requestOf, serviceFixture } from './testing/service.ts'

const streaming = requestOf({ stream: true })

test('what an attempt that was replaced has generated is counted, and charged to nobody', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const backend = holding(text('Water is lazy.'))
  const replaced = service.run(job, backend.play)
  await backend.reached
  await service.run(job, answering)

  backend.release()
  await replaced

  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
  expect(service.wasted).toEqual([{ tokens: expect.any(Number), why: 'replaced' }])
})

test('what a killed worker had shown of a stream is counted, and charged to nobody', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  await service.relay.claim(job.id, { channel: 'nobody', name: 'a killed worker' }, 3)
  await service.relay.emit(job.id, { epoch: 1, sequence: 1, chunks: [text('Water is lazy.')] })

  await service.run(job, answering)

  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
  expect(service.wasted).toEqual([{ tokens: 4, why: 'killed' }])
  expect((await service.outcomeOf(job))?.attempts).toMatchObject([{ worker: 'a killed worker', end: 'lost' }])
})

test('a completion that went as it should wastes nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)

  await service.run(job, answering)

  expect(service.wasted).toEqual([])
})
