import type { Command } from 'commander'
import { Backend, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { renderTable } from '../table.ts'

/** `weir backends` */
export function addBackends(program: Command, desk: Desk): void {
  program
    .command('backends')
    .description('how the backends and their targets do, over all workers')
    .action(async () => {
      desk.show(await desk.api().get(['backends']), listOf(Backend), ({ data }, colour) => render(data, colour))
    })
}

const columns = [
  { title: 'target' },
  { title: 'models' },
  { title: 'slots', align: 'right' as const },
  { title: 'breaker' },
  { title: 'answered', align: 'right' as const },
  { title: 'failed', align: 'right' as const },
  { title: 'last error' },
  { title: 'cooling until' },
]

const render = (backends: readonly Backend[], colour: boolean): string =>
  renderTable(
    columns,
    backends.flatMap(({ slots, targets }) => targets.map((target) => rowOf(slots, target))),
    colour,
  )

type Target = Backend['targets'][number]

/** What the workers see of a target, added up. */
function rowOf(slots: Backend['slots'], { target, models, workers, cooling_until }: Target): string[] {
  const sum = (field: 'successes' | 'failures') => workers.reduce((all, worker) => all + worker[field], 0)
  const errors = workers.flatMap(({ last_error }) => last_error ?? [])
  const last = errors.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at)).at(-1)
  return [
    target,
    models.join(' '),
    slots ? `${slots.in_use}/${slots.limit}` : '-',
    breakerOf(workers),
    String(sum('successes')),
    String(sum('failures')),
    last ? `${last.code} ${localTime(last.at)}` : '-',
    cooling_until === null ? '-' : localTime(cooling_until),
  ]
}

/** Each worker has its own; where they differ it says how many of them have it so. */
function breakerOf(workers: Target['workers']): string {
  const counted = Map.groupBy(workers, ({ breaker }) => breaker.replace('_', ' '))
  if (counted.size === 0) return '-'
  if (counted.size === 1) return [...counted.keys()][0]!
  return [...counted].map(([state, { length }]) => `${length} ${state}`).join(', ')
}
