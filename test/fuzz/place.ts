import { type Weir, openWeir } from '@weir/local/testing'
import { catalogueOf, quick } from '../e2e/testing/catalogue.ts'
import { customerOf } from '../e2e/testing/customer.ts'
import { type FuzzedDialect, MODEL } from './dialects.ts'

export type Answered = { status: number; type: string | null; text: string }

export type Place = AsyncDisposable & {
  weir: Weir
  /** Sends bytes as they are. It must answer within a time that is long for every machine. */
  send(
    dialect: FuzzedDialect,
    body: string | Uint8Array<ArrayBuffer>,
    headers?: Record<string, string>,
  ): Promise<Answered>
}

const LIMIT_MS = 30_000

/** A Weir that answers at once, for a customer who lacks nothing: whatever it refuses, it refuses for what was sent. */
export async function openPlace(): Promise<Place> {
  await using resources = new AsyncDisposableStack()
  const limits = { max_output_tokens: 1_000_000, context_window: 100_000_000 }
  const config = catalogueOf({ [MODEL]: { ...quick, output_tokens: 3 } }, { [MODEL]: limits })
  const weir = resources.use(await openWeir({ config }))
  const { apiKey } = await customerOf(weir, { credits: 1_000_000_000 })
  const running = resources.move()
  return {
    weir,
    async send({ path, headers: own }, body, headers = {}) {
      const response = await fetch(weir.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...own, ...headers },
        body,
        signal: AbortSignal.timeout(LIMIT_MS),
      })
      return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
