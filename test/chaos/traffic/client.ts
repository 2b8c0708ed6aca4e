import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange, History, Play } from '../history.ts'
import { promptOf } from '../model/words.ts'
import { perform, type Manner } from './exchange.ts'

/** Where clients find the service, as a load balancer would: replicas that are down are known to be. */
export type Service = {
  urlOf(replica: number): { replica: number; url: string } | undefined
  apiKeys: readonly string[]
  /** Where the ends of batches are told. */
  webhookUrl: string
  now(): number
  /** Aborts when traffic is over: whoever would try again then gives up. */
  over: AbortSignal
}

export type Client = {
  play: Play
  webhookUrl: string
  /** One exchange, noted in the history. `replica` is the one asked for; another takes its place while it is down. */
  ask(step: string, what: Call, manner?: Partial<Manner>): Promise<Exchange>
  /** The body of the play's request. */
  body(more?: object): object
  sleep(ms: number): Promise<void>
  /** False once clients should stop trying again. */
  goesOn(): boolean
}

export type Call = {
  method?: string
  path?: string
  body?: object
  /** In place of a JSON body. */
  form?: Buffer
  headers?: Record<string, string>
  replica?: number
}

/** The output cap names the play: what is reserved for a request then tells which one it was, whatever was answered. */
export const CAP_BASE = 100_000

const PATIENCE_MS = 60_000

export function createClient({ urlOf, apiKeys, webhookUrl, now, over }: Service, history: History, play: Play): Client {
  return {
    play,
    webhookUrl,
    async ask(
      step,
      { method = 'POST', path = '/v1/chat/completions', body, form, headers, replica = play.replica },
      manner,
    ) {
      const found = urlOf(replica)
      const exchange: Exchange = {
        play: play.number,
        step,
        method,
        path,
        replica: found?.replica ?? replica,
        startedAt: now(),
        endedAt: now(),
        end: undefined,
        status: undefined,
        headers: {},
        completionId: undefined,
        completionStatus: undefined,
        text: '',
        finishReason: undefined,
        usage: undefined,
        error: undefined,
        eventIds: [],
        object: undefined,
        content: undefined,
      }
      history.exchanges.push(exchange)
      if (!found) return Object.assign(exchange, { end: 'broken' as const })
      const authorization = `Bearer ${apiKeys[play.account]}`
      const asked = { url: found.url, method, path, body, form, headers: { authorization, ...headers } }
      return perform(exchange, asked, { patienceMs: PATIENCE_MS, ...manner }, now)
    },
    body: (more = {}) => ({
      model: 'words',
      messages: [{ role: 'user', content: promptOf(play.script) }],
      max_completion_tokens: CAP_BASE + play.number,
      ...(play.stream && { stream: true }),
      ...(play.stream && play.includeUsage && { stream_options: { include_usage: true } }),
      ...more,
    }),
    sleep: (ms) => sleep(ms),
    goesOn: () => !over.aborted,
  }
}
