import { Webhook } from 'standardwebhooks'

/** What happened, and to what. What came of it is asked for by its id. `isTest`: nothing has happened, and it is told so. */
export type Event = { id: string; type: string; subject: string; createdAt: Date; isTest?: boolean }

/** An event on its way: the bytes that are signed are the bytes that are sent. */
export type Message = { body: string; headers: Record<string, string> }

/**
 * The event in the shape of OpenAI's, signed as Standard Webhooks says: for this try, with every secret that its receiver
 * may hold. The id is that of the event, so whoever hears of it twice can tell.
 */
export function messageOf(event: Event, secrets: readonly string[], at: Date): Message {
  const { id, type, subject, createdAt, isTest = false } = event
  const said = { id, object: 'event', created_at: secondsOf(createdAt), type, data: { id: subject } }
  const body = JSON.stringify(isTest ? { ...said, test: true } : said)
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Weir-Webhooks',
      'webhook-id': id,
      'webhook-timestamp': String(secondsOf(at)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
    },
  }
}

const secondsOf = (time: Date): number => Math.floor(time.getTime() / 1_000)
