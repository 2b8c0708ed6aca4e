import { toldBy } from '../../e2e/testing/receiver.ts'
import type { Evidence, Violation } from './evidence.ts'

/** The end of each batch was told where its client wanted it told, at least once and under one id. */
export function checkWebhooks({ history, received }: Evidence): Violation[] {
  const events = received.map((one) => ({ id: String(one.headers['webhook-id']), path: one.path, told: toldBy(one) }))
  const about = Map.groupBy(events, ({ path, told }) => `${path} ${told.type} ${told.data.id}`)
  const tokens = new Map(history.plays.map(({ number, script }) => [number, script.token]))
  return history.exchanges.flatMap(({ step, play, object }) => {
    const { id, status } = object ?? {}
    if (!step.startsWith('read batch') || object === undefined) return []
    const told = about.get(`/${tokens.get(play)} batch.${String(status)} ${String(id)}`) ?? []
    const ids = new Set(told.map((event) => event.id))
    if (ids.size === 1) return []
    const message = `${String(id)} is ${String(status)}, which was told ${told.length} times, as ${[...ids].join(' and ')}`
    return [{ rule: 'webhook', play, message }]
  })
}
