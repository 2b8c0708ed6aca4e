import { expect } from 'vitest'
import type { Call } from './client.ts'
import type { Door } from './doors.ts'
import { failureOf, newCall, type Play } from './features.ts'
import { BODY_LIMIT, doorToFailure, MAX_OUTPUT_TOKENS, modelNamed } from './place.ts'

/** A status that Weir refuses with, and how a client gets it. Those that only repeat what cannot help must be tried once. */
export type Refusal = { status: number; why: string; isFinal: boolean; ask(play: Play): Call & { door: Door } }

const changed = (play: Play, changes: Partial<Call>) => ({ ...newCall(play, 'echo'), ...changes })

export const refusals: readonly Refusal[] = [
  {
    status: 400,
    why: 'more tokens than the model gives',
    isFinal: true,
    ask: (play) => changed(play, { maxTokens: MAX_OUTPUT_TOKENS + 1 }),
  },
  {
    status: 401,
    why: 'a key of nobody',
    isFinal: true,
    ask: (play) => changed(play, { apiKey: 'weir_sk_0000000000000000000000000000000000GOKd' }),
  },
  {
    status: 402,
    why: 'no credits',
    isFinal: true,
    ask: (play) => changed(play, { apiKey: play.place.poor.apiKey }),
  },
  {
    status: 403,
    why: 'an account that is frozen',
    isFinal: true,
    ask: (play) => changed(play, { apiKey: play.place.frozen.apiKey }),
  },
  { status: 404, why: 'a model that is not there', isFinal: true, ask: (play) => changed(play, { model: 'nobody' }) },
  {
    status: 413,
    why: 'a body that is too large',
    isFinal: true,
    ask: (play) => changed(play, { prompt: 'x'.repeat(BODY_LIMIT) }),
  },
  {
    status: 429,
    why: 'one completion more than the account may have',
    isFinal: false,
    ask: (play) => changed(play, { apiKey: play.place.busy.apiKey }),
  },
  { status: 500, why: 'a failure that nobody foresaw', isFinal: false, ask: askFailure },
  { status: 502, why: 'a backend that fails', isFinal: false, ask: (play) => ofOwn(play, 'http-500') },
  { status: 503, why: 'a backend that is overloaded', isFinal: false, ask: (play) => ofOwn(play, 'http-529') },
  {
    status: 504,
    why: 'a deadline that has passed',
    isFinal: false,
    ask: (play) => newCall(play, 'hang', play.place.doors.open({ headers: { 'x-weir-timeout': '1' } })),
  },
]

export type Refused = { status: number | undefined; tries: number }

/** Asks for the refusal, with the retries that the client does by itself. */
export async function refusedWith(refusal: Refusal, play: Play): Promise<Refused> {
  const call = refusal.ask(play)
  const failure = await failureOf(play, play.client.ask(call))
  // A client that is still sending when it is refused may find the connection gone instead of the answer, and sends again.
  const tries = call.door.tries.filter(({ status }) => status !== 0)
  expect(tries.map(({ status }) => status)).toEqual(tries.map(() => refusal.status))
  expect(failure).toMatchObject({ status: refusal.status, message: expect.stringMatching(/\w/) })
  if (refusal.isFinal) expect(tries).toHaveLength(1)
  return { status: failure.status, tries: tries.length }
}

function askFailure(play: Play) {
  return newCall(play, 'echo', doorToFailure(play.place, play.client.dialect))
}

/** A target of this client's own, so that the failures of one open no breaker for another. */
function ofOwn(play: Play, script: string) {
  return changed(play, { model: modelNamed(play.kind, script, copyFor(play.client.name)) })
}

/** The name of a client as part of the name of a model. */
export const copyFor = (name: string): string => name.replaceAll(/\W+/g, '-').toLowerCase()
