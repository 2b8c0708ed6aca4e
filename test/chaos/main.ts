// Everything goes wrong at once, and the books must still be right: `npm run test:chaos`.
import { randomInt } from 'node:crypto'
import { type Options, parseOptions, usage } from './options.ts'
import { renderCounts } from './report/tables.ts'
import { renderViolations } from './report/story.ts'
import { runChaos } from './run-chaos.ts'

const options = optionsOrExit()
const interrupted = new AbortController()
// Ctrl-C ends the traffic, and what was accepted is still looked after and compared; a second one ends us at once.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort())

console.log(`seed ${options.seed}`)
const { evidence, violations } = await runChaos({ ...options, tell: console.log, signal: interrupted.signal })

console.log(`\n${renderCounts(evidence, violations)}`)
if (violations.length > 0) console.log(`${renderViolations(evidence, violations)}\n`)
console.log(`seed ${options.seed}: ${violations.length} violations`)
process.exitCode = violations.length > 0 ? 1 : 0

function optionsOrExit(): Options {
  try {
    const parsed = parseOptions(process.argv.slice(2), () => randomInt(2 ** 32))
    if (parsed !== 'help') return parsed
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}
