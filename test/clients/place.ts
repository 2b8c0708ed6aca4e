import { type Weir, openWeir } from '@weir/local/testing'
import { type Customer, asking, customerOf } from '../e2e/testing/customer.ts'
import { callsOf } from '../e2e/testing/operator.ts'
import type { DialectName } from './client.ts'
import { type Door, type Doors, openDoors } from './doors.ts'
import { type Kind, kinds } from './mock-backend/answer.ts'
import { type MockBackend, openMockBackend } from './mock-backend/open-mock-backend.ts'

/** A Weir with every script of the mock backend as a model, a proxy that counts, and customers of each sort. */
export type Place = AsyncDisposable & {
  weir: Weir
  mock: MockBackend
  doors: Doors
  customer: Customer
  /** Has no credits. */
  poor: Customer
  /** May begin nothing. */
  frozen: Customer
  /** Has one completion running, and may not have two. */
  busy: Customer
}

/** The model of Weir that plays a script on a backend of a kind. `copy` tells targets apart that must not share a breaker. */
export const modelNamed = (kind: Kind, script: string, copy = ''): string => `${kind}-${script}${copy && `-${copy}`}`

export const BODY_LIMIT = 200_000
export const MAX_OUTPUT_TOKENS = 1_000

type Scripts = readonly { script: string; copies?: readonly string[]; maxOutputTokens?: number }[]

export async function openPlace(scripts: Scripts): Promise<Place> {
  await using resources = new AsyncDisposableStack()
  const mock = resources.use(await openMockBackend())
  const weir = resources.use(
    await openWeir({
      config: configOf(mock, scripts),
      apiEnv: { WEIR_BODY_LIMIT_BYTES: String(BODY_LIMIT), WEIR_DISCONNECT_GRACE_MS: '50', WEIR_KEY_CACHE_MS: '1' },
      // How often Weir itself asks a backend again is no matter here.
      workerEnv: { WEIR_MAX_ATTEMPTS: '2', WEIR_DISCONNECT_GRACE_MS: '50' },
    }),
  )
  const doors = resources.use(await openDoors(weir.url))
  const customer = await customerOf(weir, { credits: 1_000_000 })
  const poor = await customerOf(weir, { credits: 0 })
  const frozen = await customerOf(weir)
  await callsOf(weir).post(`accounts/${frozen.accountId}/freeze`, { reason: 'It is to be refused.' })
  const busy = await customerOf(weir)
  const running = resources.move()
  return { weir, mock, doors, customer, poor, frozen, busy, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Lets the busy customer be busy. */
export async function occupy({ weir, busy }: Place, hanging: string): Promise<void> {
  await callsOf(weir).put(`accounts/${busy.accountId}/rate-limits`, { concurrent: 1 })
  await busy.client.chat.completions.create({ ...asking(hanging), background: true } as never)
}

function configOf(mock: MockBackend, scripts: Scripts): string {
  const targets = kinds.flatMap((kind) =>
    scripts.flatMap(({ script, copies = [''], maxOutputTokens = MAX_OUTPUT_TOKENS }) =>
      copies.map((copy) => ({ kind, script, copy, maxOutputTokens })),
    ),
  )
  const backends = Object.fromEntries(
    targets.map(({ kind, script, copy }) => [
      modelNamed(kind, script, copy),
      { kind, base_url: mock.baseUrl(kind), first_token_timeout_ms: 60_000 },
    ]),
  )
  const models = targets.map(({ kind, script, copy, maxOutputTokens }) => ({
    id: modelNamed(kind, script, copy),
    targets: [{ backend: modelNamed(kind, script, copy), model: script }],
    price: { input: 1, output: 2, per: 1_000 },
    max_output_tokens: maxOutputTokens,
    context_window: 1_000_000,
  }))
  // JSON is YAML.
  return JSON.stringify({ backends, models })
}

const failure = { type: 'server_error', message: 'Something went wrong on our side. Please try again.' }
const failures = {
  openai: { error: { ...failure, param: null, code: 'internal' } },
  anthropic: { type: 'error', error: { ...failure, type: 'api_error' }, request_id: 'req_0' },
}

/** A door behind which Weir has failed as nobody foresaw, in its own words, which no test can make it say. */
export const doorToFailure = ({ doors }: Place, dialect: DialectName): Door =>
  doors.open({ answer: { status: 500, body: failures[dialect] } })
