import { LOCK_MS } from '../place/settings.ts'
import { apisOf, type FaultKind, slotIn, workersOf } from './fault.ts'

const kill = (weight: number, targets: FaultKind['targets']): FaultKind => ({
  weight,
  targets,
  duration: (random) => random.between(0, 1_500),
  async inflict(scene, fault) {
    const slot = slotIn(scene, fault)
    await slot.kill()
    await scene.sleep(fault.forMs)
    await slot.start()
  },
})

/** Stands still for longer than its lock holds, and goes on as if nothing had been. */
const freeze = (weight: number, targets: FaultKind['targets']): FaultKind => ({
  weight,
  targets,
  duration: (random) => random.between(LOCK_MS / 2, LOCK_MS * 3),
  async inflict(scene, fault) {
    const slot = slotIn(scene, fault)
    slot.freeze()
    await scene.sleep(fault.forMs)
    slot.thaw()
  },
})

const drain = (weight: number, targets: FaultKind['targets']): FaultKind => ({
  weight,
  targets,
  duration: () => 0,
  async inflict(scene, fault) {
    const slot = slotIn(scene, fault)
    await slot.drain()
    await slot.start()
  },
})

export const processFaults = {
  'kill-worker': kill(3, workersOf),
  'kill-api': kill(2, apisOf),
  'freeze-worker': freeze(3, workersOf),
  'freeze-api': freeze(2, apisOf),
  'drain-worker': drain(1, workersOf),
  'drain-api': drain(1, apisOf),
} satisfies Record<string, FaultKind>
