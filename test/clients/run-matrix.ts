import type { Client } from './client.ts'
import { type Feature, features, type Play } from './features.ts'
import { type Kind, kinds } from './mock-backend/answer.ts'
import { type Place } from './place.ts'
import { type Refusal, type Refused, refusals, refusedWith } from './refusals.ts'

export type Outcome<Value = true> =
  | { kind: 'works'; value: Value }
  | { kind: 'fails'; error: unknown }
  | { kind: 'not'; why: string }

export type FeatureCell = { client: Client; feature: Feature; backend: Kind; outcome: Outcome }
export type RefusalCell = { client: Client; refusal: Refusal; outcome: Outcome<Refused> }
export type Matrix = { features: FeatureCell[]; refusals: RefusalCell[] }

/** Calls in flight at once: two cores are enough for what mostly waits. */
const AT_ONCE = 12
/** Refusals are waits between tries and nothing else. */
const REFUSALS_AT_ONCE = 200

/** Every client with every feature on every kind of backend, and every refusal. */
export async function runMatrix(place: Place, clients: readonly Client[]): Promise<Matrix> {
  const plays = clients.flatMap((client) => kinds.map((kind) => ({ place, client, kind })))
  const cells = plays.flatMap((play) => features.map((feature) => ({ play, feature })))
  const refused = clients.flatMap((client) => refusals.map((refusal) => ({ client, refusal })))

  const [byFeature, byRefusal] = await Promise.all([
    inTurns(cells, AT_ONCE, async ({ play, feature }) => {
      const { client, kind: backend } = play
      return { client, feature, backend, outcome: await outcomeOfFeature(feature, play) }
    }),
    inTurns(refused, REFUSALS_AT_ONCE, async ({ client, refusal }) => {
      const outcome = await outcomeOf(() => refusedWith(refusal, { place, client, kind: 'openai' }))
      return { client, refusal, outcome }
    }),
  ])
  return { features: byFeature, refusals: byRefusal }
}

async function outcomeOfFeature(feature: Feature, play: Play): Promise<Outcome> {
  const lacking = (feature.needs ?? []).map((need) => play.client.cannot[need]).find((why) => why !== undefined)
  if (lacking !== undefined) return { kind: 'not', why: lacking }
  return outcomeOf<true>(async () => {
    await feature.check(play)
    return true
  })
}

/** A call that never comes back is a failure like any other. */
const LIMIT_MS = 60_000

async function outcomeOf<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It takes too long')), LIMIT_MS)
  })
  try {
    return { kind: 'works', value: await Promise.race([work(), limit]) }
  } catch (error) {
    return { kind: 'fails', error }
  } finally {
    clearTimeout(timer)
  }
}

async function inTurns<Item, Result>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<Result>) {
  const results: Result[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [index, item] of waiting) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
