import { newCompletionId } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import { serviceFixture, requestOf } from './testing/service.ts'
import { takeBack } from './take-back.ts'

const soon = [1, 1, 1]

test('a completion that was written though its client was refused is ended for nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(requestOf(), { keepMs: 60_000 })

  await takeBack(service, job, soon)

  expect(await service.rowOf(job)).toMatchObject({ state: 'failed', charged: 0n })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a Postgres that is away, or has not written it yet, is asked again', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(requestOf(), { keepMs: 60_000 })
  type Submit = typeof service.endings.submit
  const submit = vi
    .fn<Submit>(service.endings.submit)
    .mockRejectedValueOnce(new Error('Connection terminated'))
    .mockResolvedValueOnce({ kind: 'not_found' })
  const endings = { ...service.endings, submit }

  await takeBack({ endings }, job, soon)

  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('what was never written is let be after a while', async () => {
  await using service = await serviceFixture()

  await takeBack(service, { id: newCompletionId(), accountId: service.accountId }, soon)
})
