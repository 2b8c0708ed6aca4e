import type { LookupFunction } from 'node:net'
import { Client, type Dispatcher, errors } from 'undici'
import type { Addresses } from './allowed-address.ts'
import { allowedAddresses, allowedUrl } from './allowed-url.ts'
import { lookUpNames } from './look-up-names.ts'
import { type Refusal, type RefusalReason, refused } from './refusal.ts'
import { type Resolve, resolveNames } from './resolve-names.ts'

export type { Refusal, RefusalReason } from './refusal.ts'

export type FetchOptions = {
  addresses: Addresses
  maxBytes: number
  /** For all of it: finding the server, its answer and the last byte. */
  timeoutMs: number
  signal: AbortSignal
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Bytes that several calls may receive together; each takes from it as they arrive. */
  budget?: { bytes: number }
  /** The head of the answer is all that matters: its body is not waited for, however long it is. */
  headOnly?: boolean
  /** For tests; who is asked for the addresses of a name. */
  resolve?: Resolve
}

export type Fetched = {
  kind: 'answered'
  status: number
  contentType: string
  body: Uint8Array
  /** When to ask again, as its server says. */
  retryAfter?: string
}

const LARGEST_HEAD_BYTES = 16 * 1024

/**
 * Asks a server that a tenant has named, and that may be none of ours. The addresses of its name are resolved for this
 * call alone, every one of them is checked, and the connection goes to those and no other: a name that changes its mind
 * in between changes nothing. Nobody follows a redirect, which is an answer like any other, and no proxy is asked.
 * What goes wrong is a value; the caller's own abort is thrown.
 */
export async function guardedFetch(address: string, options: FetchOptions): Promise<Fetched | Refusal> {
  const { addresses, signal, timeoutMs } = options
  // Names of one's own networks are often known to the system alone.
  const { resolve = addresses === 'public' ? resolveNames : lookUpNames } = options
  signal.throwIfAborted()
  const url = allowedUrl(address, addresses)
  if (!(url instanceof URL)) return url

  const ending = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    const found = await orAborted(allowedAddresses(url, addresses, resolve, ending), ending)
    if (!Array.isArray(found)) return found
    return await orAborted(call(url, found, options, ending), ending)
  } catch (error) {
    signal.throwIfAborted()
    if (ending.aborted) return refused('timeout')
    const reason = reasonOf(error)
    if (reason === undefined) throw error
    return refused(reason, { cause: error })
  }
}

async function call(url: URL, found: string[], options: FetchOptions, ending: AbortSignal) {
  const { method = 'GET', headers = {}, body, timeoutMs } = options
  // A connection of its own, so that none is used again which was checked for somebody else, or long ago.
  const client = new Client(url.origin, {
    allowH2: false,
    connect: { lookup: alwaysAnswering(found), timeout: timeoutMs },
    maxHeaderSize: LARGEST_HEAD_BYTES,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  try {
    const path = url.pathname + url.search
    const sent = { 'user-agent': 'Weir', 'accept-encoding': 'identity', ...headers }
    const response = await client.request({ method, path, headers: sent, body: body ?? null, signal: ending })
    return await read(response, options)
  } finally {
    void client.destroy().catch(() => {})
  }
}

/** The answer to every question that the connection asks is what was checked. */
function alwaysAnswering(found: string[]): LookupFunction {
  const all = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_name, options, callback) => {
    if (options.all) callback(null, all)
    else callback(null, all[0]!.address, all[0]!.family)
  }
}

async function read(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  { maxBytes, budget = { bytes: maxBytes }, headOnly = false }: FetchOptions,
): Promise<Fetched | Refusal> {
  // Destroyed with its connection by the caller; whatever it says then is no news.
  body.on('error', () => {})
  const [contentType = ''] = [headers['content-type'] ?? ''].flat()
  const [retryAfter] = [headers['retry-after']].flat()
  const head = { kind: 'answered' as const, status, contentType, ...(retryAfter !== undefined && { retryAfter }) }
  if (headOnly) return { ...head, body: new Uint8Array() }

  const announced = Number(headers['content-length'] ?? 0)
  const parts: Uint8Array[] = []
  let left = maxBytes
  if (announced > Math.min(maxBytes, budget.bytes)) return refused('too_large')
  for await (const part of body as AsyncIterable<Uint8Array>) {
    left -= part.length
    budget.bytes -= part.length
    if (left < 0 || budget.bytes < 0) return refused('too_large')
    parts.push(part)
  }
  return { ...head, body: Buffer.concat(parts) }
}

/** What a connection reports only after its own good time is heard at once. */
async function orAborted<Result>(promise: Promise<Result>, ending: AbortSignal): Promise<Result> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(ending.reason)
    ending.addEventListener('abort', onAbort, { once: true })
    if (ending.aborted) onAbort()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    ending.removeEventListener('abort', onAbort)
    promise.catch(() => {})
  }
}

const timeouts = [errors.ConnectTimeoutError, errors.HeadersTimeoutError, errors.BodyTimeoutError]

function reasonOf(error: unknown): RefusalReason | undefined {
  if (timeouts.some((timeout) => error instanceof timeout)) return 'timeout'
  // What we have said ourselves, such as a header that is none, is a mistake of ours.
  if (error instanceof errors.InvalidArgumentError) return undefined
  if (error instanceof errors.UndiciError || error instanceof errors.HTTPParserError) return 'broken'
  // Of the network: refused, unreachable, no certificate, reset.
  if (error instanceof Error && 'code' in error) return error.code === 'ECONNRESET' ? 'broken' : 'unreachable'
  return undefined
}
