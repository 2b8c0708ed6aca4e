import { apisOf, type FaultKind, slotIn, workersOf } from './fault.ts'

type Server = 'postgres' | 'redis'

const waysTo = (server: Server) => (cast: { apis: number; workers: number }) =>
  [...apisOf(cast), ...workersOf(cast)].map((name) => `${name}:${server}`)

/** All connections of one process to a server are reset, and new ones refused for a while, if only for a moment. */
const cut = (server: Server): FaultKind => ({
  weight: 2,
  targets: waysTo(server),
  duration: (random) => (random.chance(50) ? 0 : random.between(50, 2_000)),
  async inflict(scene, fault) {
    const proxy = slotIn(scene, fault).proxies[server]
    await proxy.cut()
    await scene.sleep(fault.forMs)
    await proxy.restore()
  },
})

/** Nothing comes through any more, and nobody is told. */
const silence = (server: Server): FaultKind => ({
  weight: 1,
  targets: waysTo(server),
  duration: (random) => random.between(200, 3_000),
  async inflict(scene, fault) {
    const proxy = slotIn(scene, fault).proxies[server]
    proxy.silence()
    await scene.sleep(fault.forMs)
    await proxy.restore()
  },
})

export const connectionFaults = {
  'cut-redis': cut('redis'),
  'cut-postgres': cut('postgres'),
  'silence-redis': silence('redis'),
  'silence-postgres': silence('postgres'),
} satisfies Record<string, FaultKind>
