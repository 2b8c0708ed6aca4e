import { asking, clientOf } from './customer.ts'

export type Answered = { id: string; prompt: string; text: string }
export type Failed = { prompt: string; status: number | undefined; code: string | undefined; message: string }

/**
 * Clients that ask one call after another, plain ones and streams in turn, on connections that they keep. Each prompt is
 * asked once, and has up to twenty words.
 */
export function keepAsking(apiKey: string, url: string, { clients = 12, pauseMs = 0 } = {}) {
  const answered: Answered[] = []
  const failed: Failed[] = []
  let stopped = false

  async function ask(client: ReturnType<typeof clientOf>, n: number) {
    const prompt = Array.from({ length: 1 + (n % 20) }, (_, i) => `word-${n}-${i}`).join(' ')
    const request = asking('upstream', prompt)
    try {
      if (n % 2 === 0) {
        const { id, choices } = await client.chat.completions.create(request)
        answered.push({ id, prompt, text: choices[0]?.message.content ?? '' })
        return
      }
      const answer = { id: '', prompt, text: '' }
      for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
        answer.id = chunk.id
        answer.text += chunk.choices[0]?.delta.content ?? ''
      }
      answered.push(answer)
    } catch (error) {
      const { status, code, message, cause } = error as Error & { status?: number; code?: string }
      failed.push({ prompt, status, code, message: cause ? `${message} ${String(cause)}` : message })
    }
  }

  const running = Array.from({ length: clients }, async (_, which) => {
    const client = clientOf(apiKey, url)
    // Plain ones and streams in turn, whatever the number of clients.
    for (let n = which; !stopped; n += clients + 1 - (clients % 2)) {
      await ask(client, n)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  })
  return {
    answered,
    failed,
    async stop() {
      stopped = true
      await Promise.all(running)
    },
  }
}
