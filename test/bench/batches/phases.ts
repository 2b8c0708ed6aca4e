import { percentile } from '../statistics.ts'
import type { Reading, Spent } from './gauges.ts'
import type { Call } from './steady-load.ts'

/** What the run is at, in this order. */
export const phaseNames = ['before', 'validating', 'paced', 'at once', 'finalizing', 'after', 'upload'] as const
export type PhaseName = (typeof phaseNames)[number]

export type Phase = {
  name: PhaseName
  seconds: number
  /** Of the batch that ended in it. */
  lines: number
  /** Of the interactive calls that were asked in it, by model. */
  latenciesMs: Record<string, number[]>
  errors: number
  /** The most of each that was seen. */
  peak: Partial<Record<keyof Reading, number>>
  cpuMs: Spent
}

/** Files everything that is seen under what the run was at. */
export function createPhases(cpuMs: () => Spent) {
  const phases: Phase[] = []
  let current: { phase: Phase; beganAt: number; cpuAtBegin: Spent; linesAtBegin: number } | undefined
  const known = (name: string) => phases.find((phase) => phase.name === name)

  function end(lines: number): void {
    if (!current) return
    const { phase, beganAt, cpuAtBegin, linesAtBegin } = current
    phase.seconds = (performance.now() - beganAt) / 1_000
    phase.lines = lines - linesAtBegin
    phase.cpuMs = spentBetween(cpuAtBegin, cpuMs())
    current = undefined
  }

  return {
    phases,
    current: (): string => current?.phase.name ?? 'none',
    /** `lines` is how many have ended by now. */
    begin(name: PhaseName, lines: number): void {
      end(lines)
      const phase: Phase = { name, seconds: 0, lines: 0, latenciesMs: {}, errors: 0, peak: {}, cpuMs: nothingSpent }
      phases.push(phase)
      current = { phase, beganAt: performance.now(), cpuAtBegin: cpuMs(), linesAtBegin: lines }
    },
    end,
    onAnswer({ complete, latencyMs, model }: Call, { during }: { during: string }): void {
      const phase = known(during)
      if (!phase) return
      if (complete) (phase.latenciesMs[model] ??= []).push(latencyMs)
      else phase.errors++
    },
    onReading(reading: Reading): void {
      if (!current) return
      const { peak } = current.phase
      for (const [name, value] of Object.entries(reading) as [keyof Reading, number | undefined][])
        if (value !== undefined) peak[name] = Math.max(peak[name] ?? 0, value)
    },
  }
}

const nothingSpent: Spent = { API: undefined, worker: undefined, Postgres: undefined, Redis: undefined }

function spentBetween(from: Spent, to: Spent): Spent {
  const names = Object.keys(from) as (keyof Spent)[]
  const pairs = names.map((name) => [
    name,
    from[name] === undefined || to[name] === undefined ? undefined : to[name] - from[name],
  ])
  return Object.fromEntries(pairs) as Spent
}

/** What a share of the interactive calls took at most, with no batch beside them: before it and after it. */
export function aloneMs(phases: readonly Phase[], model: string, share: number): number | undefined {
  const alone = phases.filter(({ name }) => name === 'before' || name === 'after')
  return percentile(
    alone.flatMap(({ latenciesMs }) => latenciesMs[model] ?? []),
    share,
  )
}

/** CPU time of a line: what the interactive calls cost when they are alone is not the batch's. */
export function cpuPerLine(phases: readonly Phase[], phase: Phase, name: keyof Spent): number | undefined {
  const alone = phases.find((each) => each.name === 'before')
  const [spent, base] = [phase.cpuMs[name], alone?.cpuMs[name]]
  if (spent === undefined || base === undefined || phase.lines === 0) return undefined
  return (spent - (base / alone!.seconds) * phase.seconds) / phase.lines
}
