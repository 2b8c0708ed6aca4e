import { expect, test } from 'vitest'
import type { BatchPlan, Exchange, Play } from '../history.ts'
import type { Production } from '../model/model-server.ts'
import { promptTokensOf, type Script, textOf } from '../model/words.ts'
import { check } from './check.ts'
import type { Evidence } from './evidence.ts'
import type { Row } from './read-rows.ts'

test('a batch of which each line was answered, told and paid for once is in order', () => {
  expect(messagesOf({})).toEqual([])
})

test.each<[string, Changes, string]>([
  ['a line that was told twice', { output: [result('t1-1'), result('t1-1'), result('t1-2')] }, 'it has 2 lines'],
  ['a line that was not told', { output: [result('t1-1')] }, 'it has 2 lines'],
  ['counts that are not the lines', { counts: { total: 2, completed: 1, failed: 1 } }, 'it counts 1 + 1 of 2'],
  [
    'an answer to another line',
    { output: [result('t1-1'), { ...result('t1-1'), custom_id: 't1-2' }] },
    't1-2 is not whole',
  ],
  ['a line that costs what nobody was told', { credits: 0.0535 }, 'and the entries to 107000'],
  ['a second completion that was charged', { rows: [row('t1-1'), row('t1-2'), stray()] }, 'was charged, and line t1-1'],
  [
    'a line that was charged in two batches',
    { rows: [row('t1-1'), row('t1-2'), again()] },
    'line t1-1 was charged 2 times',
  ],
  ['a batch that has not ended', { status: 'in_progress' }, 'batch_1 is in_progress'],
  ['an end that was not told', { events: [] }, 'told 0 times'],
  ['an end that was told under two ids', { events: ['evt_1', 'evt_2'] }, 'as evt_1 and evt_2'],
  ['what runs although it must not', { twist: 'dry_run' }, 'nothing of it may run'],
  ['more than it may cost', { twist: 'max_credits' }, 'it was bounded by 0.1 credits'],
  ['the file of an upload that was cut', { twist: 'cut_upload' }, 'there is a file'],
])('%s is found', (_, changes, message) => {
  expect(messagesOf(changes).join('\n')).toContain(message)
})

type Changes = {
  output?: object[]
  rows?: Row[]
  counts?: object
  credits?: number
  status?: string
  events?: string[]
  twist?: BatchPlan['twist']
}

const messagesOf = (changes: Changes): string[] => check(evidence(changes)).map(({ message }) => message)

function evidence(changes: Changes): Evidence {
  const { output = [result('t1-1'), result('t1-2')], rows = [row('t1-1'), row('t1-2')], twist = 'none' } = changes
  const { status = 'completed', events = ['evt_1', 'evt_1'] } = changes
  const batch = {
    id: 'batch_1',
    status,
    output_file_id: 'file-1',
    request_counts: changes.counts ?? { total: 2, completed: 2, failed: 0 },
    credits_consumed: changes.credits ?? 0.107,
    credits_reserved: 0,
  }
  const body = JSON.stringify({ type: `batch.${status}`, data: { id: 'batch_1' } })
  return {
    history: {
      plays: [play(twist)],
      exchanges: [
        answered('make batch', '/v1/batches', { object: { id: 'batch_1' } }),
        answered('read batch', '/v1/batches/batch_1', { object: batch }),
        answered('read output', '/v1/files/file-1/content', {
          content: output.map((each) => JSON.stringify(each)).join('\n'),
        }),
      ],
    },
    productions: [production('t1-1'), production('t1-2')],
    rows,
    files: ['t1.jsonl'],
    received: events.map((id) => ({ path: '/t1', headers: { 'webhook-id': id }, body })),
    books: { findings: [], unbalanced: [] },
    lives: [],
    inflicted: [],
    askedForMs: 4_000,
    unquiet: [],
  }
}

function script(token: string): Script {
  return { token, words: 3, firstMs: 0, everyMs: 0, end: 'stop', fails: [], filler: 0 }
}

function play(twist: BatchPlan['twist']): Play {
  const decided = { afterEvents: 1, afterMs: 0, pauseMs: 0, drops: [] }
  const where = { account: 0, replica: 0, stream: false, includeUsage: false, script: script('t1') }
  const lines = [script('t1-1'), script('t1-2')]
  return { number: 1, kind: 'batch', ...where, ...decided, batch: { lines, twist, maxCredits: 0.1, badLine: 1 } }
}

function production(token: string): Production {
  const reported = { input: promptTokensOf(1), output: 3 }
  return { token, attempt: 1, words: 3, reported, end: 'finished', startedAt: 0, endedAt: 1 }
}

/** A line of the output: 101 tokens in and 3 out, at half their price. */
function result(token: string) {
  const body = { choices: [{ message: { content: textOf(script(token), 1, 3) } }] }
  const response = { status_code: 200, request_id: `chatcmpl_${token}`, body }
  return { custom_id: token, response, error: null, credits_consumed: 0.0535 }
}

function row(token: string): Row {
  const charged = { charged: 53_500n, captured: 53_500n, chargeEntries: 1, chargedByEntries: 53_500n }
  const usage = { input: promptTokensOf(1), output: 3, usageSource: 'reported' }
  const of = { id: `chatcmpl_${token}`, play: 1, line: token, batch: 'batch_1' }
  const end = { state: 'completed', errorCode: null, attempts: 1, reservation: 'settled' }
  return { ...of, ...end, ...usage, ...charged, createdAt: new Date(0), endedAt: new Date(1) }
}

/** An earlier try that was paid for all the same. */
function stray(): Row {
  return { ...row('t1-1'), id: 'chatcmpl_0', batch: null }
}

/** The same line of a batch that should not be. */
function again(): Row {
  return { ...row('t1-1'), id: 'chatcmpl_0', batch: 'batch_2' }
}

function answered(step: string, path: string, what: Partial<Exchange>): Exchange {
  const request = { play: 1, step, method: 'GET', path, replica: 0, startedAt: 0, endedAt: 1 }
  const answer = { status: 200, headers: {}, completionId: undefined, completionStatus: undefined, error: undefined }
  const nothing = {
    text: '',
    finishReason: undefined,
    usage: undefined,
    eventIds: [],
    object: undefined,
    content: undefined,
  }
  return { ...request, ...answer, ...nothing, end: 'answered', ...what }
}
