import { expect, test } from 'vitest'
import { chaosConfig } from './chaos-config.ts'
import { faultKinds } from './faults/schedule.ts'
import { usualKinds } from './options.ts'
import { renderViolations } from './report/story.ts'
import { runChaos } from './run-chaos.ts'

const { seconds, seed } = chaosConfig()

/** Opening everything, and the quiet after the traffic. */
const AROUND_MS = 240_000

test(
  'whatever fails, every accepted completion ends once and is charged for what was made of it',
  { timeout: seconds * 1_000 + AROUND_MS },
  async () => {
    const faults = Object.keys(faultKinds)
    const told: string[] = []
    const tell = (text: string) => void told.push(text)
    const options = { seed, seconds, faults, kinds: usualKinds, clients: 16, apis: 2, workers: 3, tell }

    const { evidence, violations } = await runChaos(options)

    expect(renderViolations(evidence, violations), [`seed ${seed}`, ...told].join('\n')).toBe('')
  },
)
