import { expect, test } from 'vitest'
import { measure } from './figures.ts'
import { answerText } from './mock-answer.ts'
import { mockSide, openMock, passThroughSide } from './plain-sides.ts'

const { signal } = new AbortController()

test('mock and pass-through answer plain and streamed calls without an error', async () => {
  await using mock = await openMock({ tokens: 8, firstTokenMs: 0, tokenMs: 1 })
  await using proxy = await passThroughSide(mock)

  for (const side of [mockSide(mock), proxy]) {
    for (const mode of ['plain', 'stream'] as const) {
      const figures = await measure(side, { mode, connections: 4, text: answerText(8) }, { seconds: 0.3, signal })

      expect(figures.requestsPerSecond).toBeGreaterThan(0)
      expect(figures.errors).toBe(0)
      expect(figures.firstTokenP50Ms === undefined).toBe(mode === 'plain')
    }
  }
})

test('answers of the wrong length are counted as errors', async () => {
  await using mock = await openMock({ tokens: 8, firstTokenMs: 0, tokenMs: 0 })

  const workload = { mode: 'stream', connections: 2, text: answerText(9) } as const
  const figures = await measure(mockSide(mock), workload, { seconds: 0.3, signal })

  expect(figures.requestsPerSecond).toBe(0)
  expect(figures.errors).toBeGreaterThan(0)
})
