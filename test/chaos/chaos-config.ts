import { randomInt } from 'node:crypto'

/** How long the suite runs among the tests: short on a desk, longer where nobody waits. The seed is new each time. */
export function chaosConfig(): { seconds: number; seed: number } {
  const { WEIR_CHAOS_SECONDS: seconds, WEIR_CHAOS_SEED: seed, CI: isCi } = process.env
  return {
    seconds: Number(seconds ?? (isCi ? 60 : 20)),
    seed: seed === undefined ? randomInt(2 ** 32) : Number(seed),
  }
}
