import { expect, test } from 'vitest'
import type { Exchange, Play } from '../history.ts'
import type { Production } from '../model/model-server.ts'
import { promptTokensOf, type Script, textOf } from '../model/words.ts'
import { check } from './check.ts'
import type { Evidence } from './evidence.ts'
import type { Row } from './read-rows.ts'

test('a completion that was answered whole and charged by the table is in order', () => {
  expect(rulesOf(evidence({}))).toEqual([])
})

const words = (script: Script, from: number, to: number) =>
  textOf(script, 1, to).slice(from > 1 ? textOf(script, 1, from - 1).length : 0)

test.each<[string, Parameters<typeof evidence>[0], string]>([
  ['a hole', { exchange: { text: words(script(), 1, 2) + words(script(), 4, 5) } }, 'wrong-text'],
  ['a repeated word', { exchange: { text: words(script(), 1, 2) + words(script(), 2, 5) } }, 'wrong-text'],
  ['a word of another prompt', { exchange: { text: words(script('t9'), 1, 5) } }, 'wrong-text'],
  ['a whole-looking part', { exchange: { text: words(script(), 1, 4) } }, 'truncated'],
  ['a stream that just ends', { exchange: { end: 'ended_mute', finishReason: undefined } }, 'ended-mute'],
  ['a gap in the numbers of events', { exchange: { eventIds: [1, 2, 4] } }, 'wrong-event-ids'],
  ['no row for what was accepted', { rows: [] }, 'lost'],
  ['a completion that never ended', { row: { state: 'queued', charged: null } }, 'not-ended'],
  ['a reservation that is still open', { row: { reservation: 'open' } }, 'open-reservation'],
  ['two rows for one request', { rows: [{}, { id: 'chatcmpl_2' }] }, 'multiplied'],
  ['a charge that is not the usage', { row: { ...charged(9_999n) } }, 'wrong-charge'],
  ['a charge without an entry', { row: { chargeEntries: 0, chargedByEntries: 0n } }, 'wrong-charge'],
  ['usage that the model did not make', { row: { output: 7, ...charged(115_000n) } }, 'wrong-charge'],
  ['another attempt than the one that was heard', { row: { input: 102, ...charged(112_000n) } }, 'broken-promise'],
  ['an error for what was charged', { exchange: { end: 'error_event', error: interrupted() } }, 'broken-promise'],
  ['a price told wrong', { exchange: { usage: { input: 101, output: 5, credits: 0.5 } } }, 'broken-promise'],
  ['a run that proves nothing', { askedForMs: 8_000 }, 'worthless'],
  ['an answer that nobody designed', { exchange: { error: undesigned() } }, 'undesigned'],
])('%s is found', (_, changes, rule) => {
  expect(rulesOf(evidence(changes))).toContain(rule)
})

const rulesOf = (found: Evidence): string[] => check(found).map(({ rule }) => rule)

type Changes = { exchange?: Partial<Exchange>; row?: Partial<Row>; rows?: Partial<Row>[]; askedForMs?: number }

/** One stream that was read to its end, by a client that saw all of it; with changes. */
function evidence({ exchange, row = {}, rows = [row], askedForMs = 4_000 }: Changes): Evidence {
  return {
    history: { plays: [play()], exchanges: [{ ...read(), ...exchange }] },
    productions: [1, 2].map(production),
    rows: rows.map((each) => ({ ...completed(), ...each })),
    files: [],
    received: [],
    books: { findings: [], unbalanced: [] },
    lives: [],
    inflicted: [],
    askedForMs,
    unquiet: [],
  }
}

function script(token = 't1'): Script {
  return { token, words: 5, firstMs: 0, everyMs: 0, end: 'stop', fails: [], filler: 0 }
}

function play(): Play {
  const decided = { afterEvents: 1, afterMs: 0, pauseMs: 0, drops: [], batch: undefined }
  return {
    number: 1,
    kind: 'stream',
    account: 0,
    replica: 0,
    stream: true,
    includeUsage: true,
    script: script(),
    ...decided,
  }
}

function production(attempt: number): Production {
  const reported = { input: promptTokensOf(attempt), output: 5 }
  return { token: 't1', attempt, words: 5, reported, end: 'finished', startedAt: 0, endedAt: 1 }
}

function charged(amount: bigint) {
  return { charged: amount, captured: amount, chargedByEntries: amount, chargeEntries: 1 }
}

function completed(): Row {
  const times = { createdAt: new Date(0), endedAt: new Date(1) }
  const usage = { input: promptTokensOf(1), output: 5, usageSource: 'reported', ...charged(111_000n) }
  return {
    id: 'chatcmpl_1',
    play: 1,
    line: null,
    batch: null,
    state: 'completed',
    errorCode: null,
    attempts: 1,
    reservation: 'settled',
    ...usage,
    ...times,
  }
}

function read(): Exchange {
  const request = { play: 1, step: 'create', method: 'POST', path: '/v1/chat/completions', replica: 0 }
  const answer = { status: 200, headers: {}, completionId: 'chatcmpl_1', completionStatus: undefined, error: undefined }
  const stream = { text: textOf(script(), 1, 5), finishReason: 'stop', eventIds: [1, 2, 3], end: 'done' as const }
  return {
    ...request,
    ...answer,
    ...stream,
    startedAt: 0,
    endedAt: 1,
    usage: { input: 101, output: 5, credits: 0.111 },
    object: undefined,
    content: undefined,
  }
}

function interrupted() {
  return { code: 'stream_interrupted', message: 'It costs nothing.', completionId: undefined }
}

function undesigned() {
  return { code: 'internal', message: 'Something went wrong on our side.', completionId: undefined }
}
