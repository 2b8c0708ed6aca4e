import { type Dispatcher, Pool } from 'undici'
import type { AnthropicConfig, OpenAiConfig } from '@weir/contracts'
import type { Call, Protocol } from './protocol.ts'

type VendorConfig = OpenAiConfig | AnthropicConfig

const DEFAULT_CONNECTIONS = 256
const LARGEST_HEAD_BYTES = 32 * 1024

/** One server, with the connections that are open to it, and how it is understood. */
export type Endpoint = {
  pool: Pool
  protocol: Protocol
  timeouts: Pick<VendorConfig, 'first_token_timeout_ms' | 'idle_timeout_ms'>
}

/** Keeps connections open between calls, one call on each. */
export function openEndpoint(config: VendorConfig, protocol: Protocol): Endpoint {
  const pool = new Pool(new URL(config.base_url).origin, {
    connections: config.slots ?? DEFAULT_CONNECTIONS,
    // HTTP/1.1 only: a cancelled call closes its socket, which makes every server stop generating.
    allowH2: false,
    connect: { timeout: config.connect_timeout_ms },
    maxHeaderSize: LARGEST_HEAD_BYTES,
    // Patience watches the answer, and tells its first token from the rest.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return { pool, protocol, timeouts: config }
}

/** Asks once. Redirects are answers like any other: nobody follows them. */
export function post({ pool }: Endpoint, call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { path, headers, body } = call
  const response = pool.request({ path, method: 'POST', headers, body, signal })
  // A call that still waits for its connection hears of an abort only once it is connected: we do not wait for that.
  return Promise.race([response, rejectedOnAbort(signal)])
}

const rejectedOnAbort = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
