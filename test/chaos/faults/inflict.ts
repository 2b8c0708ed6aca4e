import type { PlannedFault, Scene } from './fault.ts'
import { faultKinds } from './schedule.ts'

/** A fault as it came about. */
export type Inflicted = PlannedFault & { beganAt: number; endedAt: number | undefined }

type Options = {
  now: () => number
  over: AbortSignal
  onFault: (fault: Inflicted) => void
}

/** Lets the planned faults come about at their times. Returns when all of them are over and mended. */
export async function inflictFaults(
  scene: Scene,
  planned: readonly PlannedFault[],
  { now, over, onFault }: Options,
): Promise<Inflicted[]> {
  const inflicted: Inflicted[] = []
  // What is already broken is mended before it breaks again.
  const latest = new Map<string, Promise<void>>()
  const running: Promise<void>[] = []

  async function inflict(fault: PlannedFault): Promise<void> {
    await latest.get(fault.target)
    const record: Inflicted = { ...fault, beganAt: now(), endedAt: undefined }
    inflicted.push(record)
    onFault(record)
    await faultKinds[fault.kind]!.inflict(scene, fault)
    record.endedAt = now()
  }

  for (const fault of planned) {
    await scene.sleep(Math.max(0, fault.atMs - now()))
    if (over.aborted) break
    const one = inflict(fault)
    latest.set(fault.target, one)
    running.push(one)
  }
  await Promise.all(running)
  return inflicted
}
