import { setTimeout as sleep } from 'node:timers/promises'
import type { History, Kind } from '../history.ts'
import { createRandom } from '../random.ts'
import { playBatch } from './batch-plays.ts'
import { playInBackground, playPreferring } from './background-plays.ts'
import { playCancelling } from './cancelling-plays.ts'
import { type Client, createClient, type Service } from './client.ts'
import { playKeyed } from './keyed-plays.ts'
import { planPlay } from './plan-play.ts'
import { playResuming } from './resuming-plays.ts'
import { playAndLeave, playOnce, playSlowly, playTooLate } from './simple-plays.ts'

const plays: Record<Kind, (client: Client) => Promise<void>> = {
  plain: playOnce,
  stream: playOnce,
  slow: playSlowly,
  leave: playAndLeave,
  background: playInBackground,
  resume: playResuming,
  cancel: playCancelling,
  keyed: playKeyed,
  prefer: playPreferring,
  deadline: playTooLate,
  batch: playBatch,
}

const LONGEST_PAUSE_MS = 250

export type Traffic = { seed: number; clients: number; kinds: readonly Kind[]; replicas: number }

/** Clients that play one thing after another until traffic is over. Returns when the last of them has ended its last play. */
export async function runTraffic(service: Service, history: History, traffic: Traffic): Promise<void> {
  const cast = { ...traffic, accounts: service.apiKeys.length }

  async function runClient(index: number): Promise<void> {
    const random = createRandom(traffic.seed, index + 1)
    for (let n = 0; ; n++) {
      const pauseMs = random.between(0, LONGEST_PAUSE_MS)
      // Numbers begin at 1: 0 was the first call, before there were any faults.
      const play = planPlay(random, 1 + n * traffic.clients + index, cast)
      await sleep(pauseMs)
      if (service.over.aborted) return
      history.plays.push(play)
      await plays[play.kind](createClient(service, history, play))
    }
  }

  await Promise.all(Array.from({ length: traffic.clients }, (_, index) => runClient(index)))
}
