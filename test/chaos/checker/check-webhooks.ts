import { toldBy } from '../../e2e/testing/receiver.ts'
import type { Evidence, Violation } from './evidence.ts'

/** The end of each batch was told where its client wanted it told, at least once and under one id; of an estimate nobody is told. */
export function checkWebhooks({ history, received }: Evidence): Violation[] {
  const events = received.map((one) => ({ id: String(one.headers['webhook-id']), path: one.path, told: toldBy(one) }))
  const about = Map.groupBy(events, ({ path, told }) => `${path} ${told.type} ${told.data.id}`)
  const plays = new Map(history.plays.map((play) => [play.number, play]))
  return history.exchanges.flatMap(({ step, play, object }) => {
    const { id, status } = object ?? {}
    if (!step.startsWith('read batch') || object === undefined) return []
    const { script, batch } = plays.get(play)!
    const told = about.get(`/${script.token} batch.${String(status)} ${String(id)}`) ?? []
    const ids = new Set(told.map((event) => event.id))
    if (ids.size === (batch?.twist === 'dry_run' ? 0 : 1)) return []
    const message = `${String(id)} is ${String(status)}, which was told ${told.length} times, as ${[...ids].join(' and ')}`
    return [{ rule: 'webhook', play, message }]
  })
}
