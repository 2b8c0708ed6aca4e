import { expect, test } from 'vitest'
import { type Chunk, type ErrorCode, ServiceError } from '@weir/contracts'
import type { Backend } from './backend.ts'
import { streamFromTargets } from './run-target.ts'
import { collect, never, requestOf, textOf } from './testing/requests.ts'

const saying = (...texts: string[]): Chunk[] => texts.map((text) => ({ type: 'text', choice: 0, text }))

const playing = (name: string, chunks: Chunk[], failure?: ErrorCode): Backend => ({
  name,
  async *stream() {
    yield* chunks
    if (failure) throw new ServiceError(failure, `${name} failed`)
  },
  [Symbol.asyncDispose]: async () => {},
})

async function routed(...played: Backend[]) {
  const served: string[] = []
  const failures: string[] = []
  const result = await collect(
    streamFromTargets({
      backends: new Map(played.map((backend) => [backend.name, backend])),
      model: { targets: played.map(({ name }) => ({ backend: name, model: 'm' })) },
      request: requestOf(),
      signal: never(),
      onTarget: (target) => served.push(target),
      onTargetFailed: (target) => failures.push(target),
    }),
  )
  return { ...result, served, failures }
}

test('a target that fails before it says anything is replaced by the next', async () => {
  const { chunks, error, served, failures } = await routed(
    playing('down', [], 'backend_error'),
    playing('full', [], 'backend_overloaded'),
    playing('well', saying('Hello')),
    playing('spare', saying('Unneeded')),
  )

  expect(error).toBeUndefined()
  expect(textOf(chunks)).toBe('Hello')
  expect({ served, failures }).toEqual({ served: ['well/m'], failures: ['down/m', 'full/m'] })
})

test('a target that fails in the middle of its answer is not replaced', async () => {
  const { chunks, error, served } = await routed(
    playing('broken', saying('Hel'), 'backend_error'),
    playing('well', saying('Hello')),
  )

  expect(textOf(chunks)).toBe('Hel')
  expect(error).toMatchObject({ message: 'broken failed' })
  expect(served).toEqual(['broken/m'])
})

test('a request that a target refuses is not offered to the next', async () => {
  const { error } = await routed(playing('strict', [], 'context_length_exceeded'), playing('well', saying('Hello')))

  expect(error).toMatchObject({ code: 'context_length_exceeded' })
})

test('when all targets fail, the failure of the last is told', async () => {
  const { error, served } = await routed(playing('a', [], 'backend_error'), playing('b', [], 'backend_overloaded'))

  expect(error).toMatchObject({ message: 'b failed' })
  expect(served).toEqual([])
})
