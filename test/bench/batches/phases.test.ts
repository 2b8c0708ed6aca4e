import { expect, test } from 'vitest'
import { aloneMs, cpuPerLine, createPhases } from './phases.ts'

const answer = { complete: true, firstTokenMs: undefined, model: 'quick' }

function phasesFixture() {
  const spent = { API: 0, worker: 0, Postgres: undefined, Redis: 0 }
  return { spent, ...createPhases(() => ({ ...spent })) }
}

test('a call counts in the phase in which it was asked, and one that was not answered is an error there', () => {
  const { phases, begin, end, onAnswer } = phasesFixture()
  begin('before', 0)
  begin('paced', 0)
  onAnswer({ ...answer, latencyMs: 7 }, { during: 'before' })
  onAnswer({ ...answer, latencyMs: 9 }, { during: 'paced' })
  onAnswer({ ...answer, latencyMs: 1, complete: false }, { during: 'paced' })
  onAnswer({ ...answer, latencyMs: 1 }, { during: 'none' })
  end(3)

  expect(phases.map(({ name, lines, latenciesMs, errors }) => ({ name, lines, latenciesMs, errors }))).toEqual([
    { name: 'before', lines: 0, latenciesMs: { quick: [7] }, errors: 0 },
    { name: 'paced', lines: 3, latenciesMs: { quick: [9] }, errors: 1 },
  ])
})

test('alone is before and after together', () => {
  const { phases, begin, onAnswer } = phasesFixture()
  for (const [name, latencyMs] of [
    ['before', 10],
    ['paced', 99],
    ['after', 30],
  ] as const) {
    begin(name, 0)
    onAnswer({ ...answer, latencyMs }, { during: name })
  }

  expect(aloneMs(phases, 'quick', 0.5)).toBe(10)
  expect(aloneMs(phases, 'quick', 1)).toBe(30)
  expect(aloneMs(phases, 'paced', 1)).toBeUndefined()
})

test('a line costs what was used beyond the calls that come anyway', () => {
  const { phases, spent, begin, end } = phasesFixture()
  begin('before', 0)
  spent.worker = 1_000
  begin('at once', 0)
  spent.worker = 4_000
  end(10)
  for (const phase of phases) phase.seconds = phase.name === 'before' ? 10 : 20

  const [, atOnce] = phases
  expect(cpuPerLine(phases, atOnce!, 'worker')).toBe(100)
  expect(cpuPerLine(phases, atOnce!, 'Postgres')).toBeUndefined()
})

test('of each reading the most is remembered, phase by phase', () => {
  const { phases, begin, onReading } = phasesFixture()
  const reading = { apiRssMb: 100, workerRssMb: undefined, redisMb: 2, redisKeys: 5 }
  onReading({ ...reading, redisMb: 99 })
  begin('before', 0)
  onReading(reading)
  onReading({ ...reading, apiRssMb: 120, redisMb: 1 })
  begin('paced', 0)
  onReading({ ...reading, redisKeys: 6 })

  expect(phases.map(({ peak }) => peak)).toEqual([
    { apiRssMb: 120, redisMb: 2, redisKeys: 5 },
    { apiRssMb: 100, redisMb: 2, redisKeys: 6 },
  ])
})
