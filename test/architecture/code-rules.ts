import { posix } from 'node:path'
import { type House, isTestCode, packageAt, type Violation } from './house.ts'
import type { SourceFile } from './source-file.ts'

/** Who reads the environment beside main.ts and config files. The launcher stands outside of the service. */
export const environmentReaders: Record<string, string> = {
  'infra/local/src/migrate.ts': 'hands PATH and HOME on to the migration, and nothing else',
  'infra/local/src/postgres-init.ts': 'hands PATH on to initdb, and nothing else',
  'infra/local/src/postgres-process.ts': 'hands PATH on to Postgres, and nothing else',
  'infra/local/src/processes.ts': 'looks for programs on PATH',
  'infra/local/src/redis-install.ts': 'hands everything on to the package manager, which may need a proxy',
  'infra/local/src/spawn-app.ts': 'hands PATH and HOME on to an app, and nothing else',
  'infra/local/src/stop-signals.ts': 'asks whether npm started it',
  'infra/local/src/testing/global-setup.ts': 'is the main.ts of a test run',
  'test/bench/mock-model-server.ts': 'is a process of its own beside the bench',
  'test/bench/pass-through.ts': 'is a process of its own beside the bench',
}

export function environmentViolations(house: House): Violation[] {
  return house.sources.flatMap(({ path, readsEnvironment }) => {
    const name = posix.basename(path)
    if (name === 'main.ts' || name.endsWith('config.ts') || path in environmentReaders) return []
    const rule = 'the environment is read in main.ts and handed on'
    return readsEnvironment.map((line) => ({ file: path, line, what: 'reads process.env', rule }))
  })
}

export function anyViolations(house: House): Violation[] {
  return house.sources.flatMap(({ path, usesAny }) =>
    usesAny.map((line) => ({ file: path, line, what: 'says any', rule: 'unknown is parsed, not waved through' })),
  )
}

/**
 * Waiting for a job costs every replica all events, and loses some; a priority costs a scan of the whole lane; removing a job
 * decides nothing, for BullMQ says yes whether it waits, is over or never was.
 */
export function queueViolations(house: House): Violation[] {
  return house.sources.flatMap((source) => {
    const { path, importedNames, calls } = source
    const violation = (line: number, what: string, rule: string): Violation => ({ file: path, line, what, rule })
    return [
      ...importedNames
        .filter(({ name }) => /^bullmq#(QueueEvents|\*|default$)/.test(name))
        .map(({ line, name }) => violation(line, `imports ${name}`, 'answers come over the reply channel')),
      ...calls
        .filter(({ name }) => name === 'waitUntilFinished')
        .map(({ line }) => violation(line, 'calls waitUntilFinished', 'answers come over the reply channel')),
      ...prioritiesIn(house, source).map((line) =>
        violation(line, 'gives a job a priority', 'order is a matter of lanes'),
      ),
      ...removalsIn(house, source).map((line) =>
        violation(line, 'removes a job', 'what becomes of a completion is decided in its own state'),
      ),
    ]
  })
}

// Elsewhere the words are harmless: grants of credits have a priority too. A test may well look for one, to see there is none.
const dealsWithJobs = (house: House, { path, imports }: SourceFile): boolean =>
  !isTestCode(path) &&
  (packageAt(house, path)?.name === '@weir/queue' || imports.some(({ specifier }) => specifier === 'bullmq'))

function removalsIn(house: House, source: SourceFile): number[] {
  if (!dealsWithJobs(house, source)) return []
  return source.calls.filter(({ name }) => name === 'remove').map(({ line }) => line)
}

function prioritiesIn(house: House, source: SourceFile): number[] {
  if (!dealsWithJobs(house, source)) return []
  const { calls, properties } = source
  return [
    ...properties.filter(({ name }) => name === 'priority'),
    ...calls.filter(({ name }) => name === 'changePriority'),
  ].map(({ line }) => line)
}
