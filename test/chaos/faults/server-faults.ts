import type { FaultKind } from './fault.ts'

const redis = () => ['redis']
const postgres = () => ['postgres']

export const serverFaults = {
  'kill-redis': {
    weight: 1,
    targets: redis,
    duration: (random) => random.between(0, 1_500),
    inflict: ({ place }, { forMs }) => place.servers.restartRedis('SIGKILL', forMs),
  },
  'restart-redis': {
    weight: 1,
    targets: redis,
    duration: (random) => random.between(0, 1_500),
    inflict: ({ place }, { forMs }) => place.servers.restartRedis('SIGTERM', forMs),
  },
  'pause-redis': {
    weight: 1,
    targets: redis,
    duration: (random) => random.between(300, 3_000),
    inflict: ({ place }, { forMs }) => place.servers.pauseRedis(forMs),
  },
  'flush-redis': {
    weight: 2,
    targets: redis,
    duration: () => 0,
    inflict: ({ place }) => place.servers.flushRedis(),
  },
  'stop-postgres': {
    weight: 1,
    targets: postgres,
    duration: (random) => random.between(0, 1_500),
    inflict: ({ place }, { forMs }) => place.servers.restartPostgres('stopped', forMs),
  },
  'kill-postgres': {
    weight: 1,
    targets: postgres,
    duration: (random) => random.between(0, 1_500),
    inflict: ({ place }, { forMs }) => place.servers.restartPostgres('killed', forMs),
  },
} satisfies Record<string, FaultKind>
