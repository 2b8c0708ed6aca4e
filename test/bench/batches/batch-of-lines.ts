import { setTimeout as pause } from 'node:timers/promises'
import type { Destination } from '../load.ts'

/** What is read of a batch. */
export type Standing = {
  id: string
  status: string
  output_file_id?: string
  errors?: unknown
  request_counts: { total: number; completed: number; failed: number }
}

const POLL_MS = 500
const LINES_A_PIECE = 1_000
/** About a kilobyte a line, as short prompts are. */
const PROMPT = 'Say something short about rivers, where they come from and where they go. '.repeat(10)

/** What a batch of so many lines asks, those of `models[0]` first. */
export function* inputLines(lines: number, modelOf: (line: number) => string): Generator<Uint8Array> {
  for (let from = 0; from < lines; from += LINES_A_PIECE) {
    const here = Array.from({ length: Math.min(LINES_A_PIECE, lines - from) }, (_, i) => from + i)
    yield Buffer.from(here.map((line) => `${lineOf(line, modelOf(line))}\n`).join(''))
  }
}

function lineOf(line: number, model: string): string {
  const body = { model, messages: [{ role: 'user', content: PROMPT }], max_tokens: 256 }
  return JSON.stringify({ custom_id: customIdOf(line), method: 'POST', url: '/v1/chat/completions', body })
}

const customIdOf = (line: number): string => `line-${line}`

/** A client that hands over a batch, follows it and reads its results. */
export function batchClient({ origins: [origin], headers }: Destination) {
  async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(`${origin}${path}`, { ...init, headers: { ...headers, ...init.headers } })
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  return {
    async upload(pieces: Iterable<Uint8Array>): Promise<string> {
      const { id } = await ask<{ id: string }>('/v1/files', formOf(pieces))
      return id
    },

    create: (inputFileId: string): Promise<Standing> =>
      ask('/v1/batches', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          input_file_id: inputFileId,
          endpoint: '/v1/chat/completions',
          completion_window: '24h',
        }),
      }),

    /** How it stands, twice a second, to its end. */
    async *follow(id: string, signal: AbortSignal): AsyncGenerator<Standing> {
      for (;;) {
        const batch = await ask<Standing>(`/v1/batches/${id}`, { signal })
        yield batch
        if (['completed', 'failed', 'expired', 'cancelled'].includes(batch.status)) return
        await pause(POLL_MS, undefined, { signal })
      }
    },

    /** Of so many lines those that the file does not answer, and those that it answers twice. */
    async faultsIn(fileId: string, lines: number): Promise<number> {
      const response = await fetch(`${origin}/v1/files/${fileId}/content`, { headers })
      const times = new Map<string, number>()
      for await (const text of linesOf(response.body!)) {
        const { custom_id, response } = JSON.parse(text) as {
          custom_id: string
          response: { status_code: number } | null
        }
        if (response?.status_code === 200) times.set(custom_id, (times.get(custom_id) ?? 0) + 1)
      }
      return Array.from({ length: lines }, (_, line) => times.get(customIdOf(line))).filter((count) => count !== 1)
        .length
    },
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}

const BOUNDARY = 'the-boundary-of-this-bench'

/** A form whose file is written as it is made: the bench holds no more of it than the API should. */
function formOf(pieces: Iterable<Uint8Array>): RequestInit {
  const head = (name: string, more = '') =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`
  function* parts(): Generator<Uint8Array> {
    yield Buffer.from(`${head('purpose')}batch\r\n${head('file', '; filename="bench.jsonl"')}`)
    yield* pieces
    yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`)
  }
  return {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: ReadableStream.from(parts()) as ReadableStream<Uint8Array>,
    duplex: 'half',
  } as RequestInit
}
