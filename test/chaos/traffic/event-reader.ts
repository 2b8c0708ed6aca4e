import type { Exchange } from '../history.ts'

type Json = Record<string, unknown>

/** Reads a stream's events into an exchange, from text in any slices. Returns how many were completed. */
export function createEventReader(exchange: Exchange): { feed(text: string): void; done(): boolean } {
  let rest = ''
  let isDone = false

  function take(block: string) {
    const lines = block.split('\n')
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart())
    // A comment, which keeps the connection alive.
    if (data.length === 0) return
    const id = lines
      .find((line) => line.startsWith('id:'))
      ?.slice(3)
      .trim()
    exchange.eventIds.push(id === undefined ? undefined : Number(id))
    if (data.join('\n') === '[DONE]') isDone = true
    else readChunk(exchange, JSON.parse(data.join('\n')) as Json)
  }

  return {
    feed(text) {
      rest += text
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        take(rest.slice(0, end))
        rest = rest.slice(end + 2)
      }
    },
    done: () => isDone,
  }
}

function readChunk(exchange: Exchange, chunk: Json): void {
  if (chunk['error']) return void (exchange.error = errorIn(chunk))
  exchange.completionId ??= chunk['id'] as string
  const [choice] = (chunk['choices'] ?? []) as { delta?: { content?: string | null }; finish_reason?: string | null }[]
  exchange.text += choice?.delta?.content ?? ''
  exchange.finishReason = choice?.finish_reason ?? exchange.finishReason
  exchange.usage = usageIn(chunk) ?? exchange.usage
}

/** Reads a whole JSON answer, of whatever kind, into an exchange. */
export function readAnswer(exchange: Exchange, text: string): void {
  const body = JSON.parse(text) as Json
  if (body['error'] && exchange.status! >= 400) return void (exchange.error = errorIn(body))
  if (body['object'] === 'file' || body['object'] === 'batch') return void (exchange.object = body)
  exchange.completionId ??= body['id'] as string | undefined
  exchange.completionStatus = body['status'] as string | undefined
  const [choice] = (body['choices'] ?? []) as { message?: { content?: string | null }; finish_reason?: string | null }[]
  exchange.text = choice?.message?.content ?? ''
  exchange.finishReason = choice?.finish_reason ?? undefined
  exchange.usage = usageIn(body)
  // A completion that failed is read with status 200 and says why.
  if (body['error']) exchange.error = errorIn(body)
}

function errorIn(body: Json): Exchange['error'] {
  const { code, message, completion_id: id } = body['error'] as Json
  return { code: String(code), message: String(message), completionId: id as string | undefined }
}

function usageIn(body: Json): Exchange['usage'] {
  const usage = body['usage'] as Json | null | undefined
  if (!usage) return undefined
  return {
    input: Number(usage['prompt_tokens']),
    output: Number(usage['completion_tokens']),
    credits: usage['credits_consumed'] === undefined ? undefined : Number(usage['credits_consumed']),
  }
}
