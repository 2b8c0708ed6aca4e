import { setTimeout as sleep } from 'node:timers/promises'
import { check } from './checker/check.ts'
import type { Evidence, Violation } from './checker/evidence.ts'
import { readBooks } from './checker/read-books.ts'
import { namesOfFiles, readRows } from './checker/read-rows.ts'
import { type Inflicted, inflictFaults } from './faults/inflict.ts'
import { planFaults } from './faults/schedule.ts'
import { type History, type Kind, newHistory, type Play } from './history.ts'
import { openPlace, type Place } from './place/open-place.ts'
import { createRandom } from './random.ts'
import { readBack } from './traffic/read-back.ts'
import { createClient, type Service } from './traffic/client.ts'
import { planPlay } from './traffic/plan-play.ts'
import { runTraffic } from './traffic/run-traffic.ts'
import { untilQuiet } from './until-quiet.ts'

export type ChaosOptions = {
  seed: number
  seconds: number
  kinds: readonly Kind[]
  faults: readonly string[]
  clients: number
  apis: number
  workers: number
  tell: (text: string) => void
  signal?: AbortSignal | undefined
}

export type ChaosResult = { evidence: Evidence; violations: Violation[] }

const ACCOUNTS = 3

/** For what was accepted last, with all the time that recovery may take. */
const QUIET_WITHIN_MS = 90_000

/** Opens a whole Weir, lets clients and faults loose on it, waits until all is quiet, and compares everybody's records. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { tell } = options
  const history = newHistory()
  let origin = performance.now()
  const now = () => Math.round(performance.now() - origin)
  await using place = await openPlace({ ...options, accounts: ACCOUNTS, now, sleep: (ms) => sleep(ms) })

  const over = new AbortController()
  const service: Service = {
    urlOf: (replica) => urlAt(place, replica),
    apiKeys: place.accounts.map(({ apiKey }) => apiKey),
    webhookUrl: place.receiver.url,
    now,
    over: over.signal,
  }
  await firstCall(service, history, options)

  origin = performance.now()
  const end = () => over.abort()
  setTimeout(end, options.seconds * 1_000)
  options.signal?.addEventListener('abort', end)
  const onFault = ({ beganAt, kind, target, forMs }: Inflicted) =>
    tell(`${seconds(beganAt)} ${kind} ${target}${forMs > 0 ? ` for ${forMs} ms` : ''}`)
  const scene = { place, sleep: (ms: number) => sleep(ms) }
  const [, inflicted] = await Promise.all([
    runTraffic(service, history, { ...options, replicas: options.apis }),
    inflictFaults(scene, planFaults(options), { now, over: over.signal, onFault }),
  ])

  const askedForMs = now()
  tell(`${seconds(askedForMs)} all is mended, waiting for quiet`)
  const unquiet = await untilQuiet(place.servers.databaseUrl, place.model, QUIET_WITHIN_MS)
  tell(`${seconds(now())} ${unquiet.length === 0 ? 'quiet' : 'not quiet'}, comparing records`)
  await readBack(service, history)
  const evidence = { ...(await recordsOf(place)), history, inflicted, askedForMs, unquiet }
  return { evidence, violations: check(evidence) }
}

/** Before any fault: it must be answered, and its quote is what the others are measured by. */
async function firstCall(service: Service, history: History, options: ChaosOptions): Promise<void> {
  const cast = { kinds: ['plain'] as const, accounts: 1, replicas: 1 }
  const planned = planPlay(createRandom(options.seed), 0, cast)
  const play: Play = { ...planned, script: { ...planned.script, fails: [] } }
  history.plays.push(play)
  const client = createClient(service, history, play)
  const { end, error } = await client.ask('create', { body: client.body() })
  if (end !== 'answered')
    throw new Error(`The service does not even work without faults: ${end} ${error?.message ?? ''}`)
}

async function recordsOf({ servers, apis, adminKey, model, receiver, lives }: Place) {
  const { databaseUrl } = servers
  const rows = await readRows(databaseUrl)
  const books = await readBooks({ url: apis[0]!.url()!, adminKey, databaseUrl })
  const files = await namesOfFiles(databaseUrl)
  return { rows, files, books, productions: model.productions, received: receiver.received, lives }
}

/** The replica asked for, or the next one that is up. */
function urlAt({ apis }: Place, asked: number): { replica: number; url: string } | undefined {
  for (let n = 0; n < apis.length; n++) {
    const replica = (asked + n) % apis.length
    const url = apis[replica]!.url()
    if (url !== undefined) return { replica, url }
  }
  return undefined
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`
