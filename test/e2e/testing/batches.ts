import { type OpenAI, toFile } from 'openai'
import { expect } from 'vitest'
import { patiently } from './patiently.ts'

/** A batch as it is shown: more than the official types know. */
export type ShownBatch = OpenAI.Batch & {
  paused?: { reason: string; since: number }
  dry_run: boolean
  max_credits?: number
  estimate?: { max_credits_consumed: number }
  credits_consumed: number
  credits_reserved: number
}

/** A line of the results of a batch. */
export type ResultLine = {
  id: string
  custom_id: string
  response: {
    status_code: number
    request_id: string | null
    body: OpenAI.ChatCompletion & { error?: { code: string } }
  } | null
  error: { code: string; message: string } | null
  attempts: number
  credits_consumed: number
}

/** A line that asks for one short answer. */
export const lineOf = (custom_id: string, body: object = {}, url = '/v1/chat/completions') => ({
  custom_id,
  method: 'POST',
  url,
  body: {
    model: 'quick',
    messages: [{ role: 'user', content: `Tell me about ${custom_id}.` }],
    max_tokens: 50,
    ...body,
  },
})

export const linesOf = (count: number, body: object = {}) =>
  Array.from({ length: count }, (_, n) => lineOf(`line-${n + 1}`, body))

export const jsonLines = (lines: readonly unknown[]): string =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')

/** Lines of any kind as the input file of a batch. */
export const uploaded = async (client: OpenAI, lines: readonly unknown[]): Promise<string> => {
  const file = await toFile(Buffer.from(jsonLines(lines)), 'input.jsonl')
  return (await client.files.create({ file, purpose: 'batch' })).id
}

export async function createdBatch(client: OpenAI, lines: readonly unknown[], more: object = {}): Promise<ShownBatch> {
  return (await client.batches.create({
    input_file_id: await uploaded(client, lines),
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    ...more,
  })) as ShownBatch
}

export const shownBatch = async (client: OpenAI, id: string): Promise<ShownBatch> =>
  (await client.batches.retrieve(id)) as ShownBatch

/** Asks for it until it is so. */
export async function untilBatch(
  client: OpenAI,
  id: string,
  isSo: (batch: ShownBatch) => boolean,
): Promise<ShownBatch> {
  let batch = await shownBatch(client, id)
  await expect.poll(async () => isSo((batch = await shownBatch(client, id))), patiently).toBe(true)
  return batch
}

const ends = ['completed', 'failed', 'expired', 'cancelled']

export const untilEnded = (client: OpenAI, id: string): Promise<ShownBatch> =>
  untilBatch(client, id, ({ status }) => ends.includes(status))

export const parsedLines = <Line = ResultLine>(text: string): Line[] =>
  text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)

/** What a file holds, line by line. */
export const linesInFile = async (client: OpenAI, id: string | undefined): Promise<ResultLine[]> =>
  parsedLines(await (await client.files.content(id!)).text())

export type BatchEvent = { id: string; event: string; data: ShownBatch }

/** The events of a stream that tells of a batch. What is no event, and no comment either, is an error. */
export async function batchEventsOf(response: Response): Promise<BatchEvent[]> {
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  return eventsIn(await response.text())
}

/** The first of them, after which the reader leaves. */
export async function firstEventOf(response: Response): Promise<BatchEvent[]> {
  let text = ''
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part
    if (text.endsWith('\n\n')) return eventsIn(text)
  }
  throw new Error(`The stream ended before its first event: ${text}`)
}

function eventsIn(text: string): BatchEvent[] {
  const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'))
  return blocks.map((block) => {
    const [, id, event, data] = /^id: (\S+)\nevent: (\S+)\ndata: (.*)$/.exec(block) ?? []
    if (!id || !event || !data) throw new Error(`Not an event of a batch: ${block}`)
    return { id, event, data: JSON.parse(data) as ShownBatch }
  })
}
