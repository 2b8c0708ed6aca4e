import { expect, test } from 'vitest'
import { AttemptStopped } from './attempts.ts'
import { holding, text } from './testing/backend.ts'
import { requestOf, serviceFixture } from './testing/service.ts'

test.each([true, false])(
  'a worker that stops hands back what has no answer yet, and that attempt does not count (stream: %s)',
  async (stream) => {
    await using service = await serviceFixture()
    const job = await service.submitted(requestOf({ stream }))
    const backend = holding()
    const running = service.run(job, backend.play, { maxAttempts: 1 })
    const signal = await backend.reached

    service.attempts.handBackSilent()

    expect(await running).toEqual({ kind: 'hand_back' })
    expect(signal.reason).toEqual(new AttemptStopped('shutdown'))
  },
)

test.each([true, false])('a worker that stops goes on with what has begun to answer (stream: %s)', async (stream) => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf({ stream }))
  const backend = holding(text('Water is lazy.'))
  const running = service.run(job, backend.play)
  const signal = await backend.reached

  service.attempts.handBackSilent()
  expect(signal.aborted).toBe(false)
  backend.release()

  expect(await running).toEqual({ kind: 'done' })
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed' })
})

test('a job that was fetched as the worker stopped goes back before its backend is asked for long', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  service.attempts.handBackSilent()

  expect(await service.run(job, holding().play)).toEqual({ kind: 'hand_back' })
})
