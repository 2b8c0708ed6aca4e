import { type CompletionId, newAccountId, newCompletionId, newKeyId } from '@weir/contracts'
import { type AdmissionLimits, type AdmissionVerdict, type Entrant, createAdmission } from '../admission.ts'
import { laneFixture } from './lane-fixture.ts'

/** The admission of one account, with one key, at as many replicas as a test asks for. */
export async function admissionFixture(given: Partial<AdmissionLimits> = {}) {
  const lane = await laneFixture()
  const settings = { maxLivePerAccount: 10, maxWaiting: 1_000, ...given }
  const admission = createAdmission(lane.redis, lane.prefix, settings)
  const accountId = newAccountId()
  const keyId = newKeyId()
  const entrant = (overrides: Partial<Entrant> = {}): Entrant => ({
    accountId,
    keyId,
    id: newCompletionId(),
    leaseMs: 60_000,
    timeLeftMs: 60_000,
    tokens: 10,
    ...overrides,
  })

  return {
    ...lane,
    ...admission,
    accountId,
    keyId,
    entrant,
    places: `${lane.prefix}:live:{${accountId}}`,
    take: (overrides?: Partial<Entrant>): Promise<AdmissionVerdict> => admission.enter(entrant(overrides)),
    async taken(overrides: Partial<Entrant> = {}): Promise<CompletionId> {
      const wanted = entrant(overrides)
      const verdict = await admission.enter(wanted)
      if (verdict.kind !== 'admitted') throw new Error(`it was not admitted: ${JSON.stringify(verdict)}`)
      return wanted.id
    },
    /** Another replica: a connection of its own. */
    another: async () => createAdmission(await lane.connect(), lane.prefix, settings),
    keys: async () => (await lane.redis.keys(`*{${accountId}}*`)).toSorted(),
    /** As if all leases ended now. */
    async endLeases(): Promise<void> {
      for (const key of await lane.redis.keys(`*{${accountId}}*`)) {
        if ((await lane.redis.type(key)) !== 'zset') continue
        const ids = await lane.redis.zrange(key, '0', '-1')
        for (const id of ids) await lane.redis.zadd(key, 1, id)
      }
    },
  }
}

export const kindsOf = (verdicts: AdmissionVerdict[]): string[] => verdicts.map(({ kind }) => kind)
