import type { Exchange } from '../history.ts'
import { resultFilesOf } from '../traffic/batch-plays.ts'
import type { Case } from './evidence.ts'
import { judgeText } from './judge-text.ts'

/** A play that made batches, with a case for each of its lines. */
export type BatchCase = { whole: Case; lines: Case[] }

/** Of a line of results, what is looked at. */
type Result = {
  custom_id: string
  response: { status_code: number; request_id: string; body: Json } | null
  error: { code: string } | null
  credits_consumed: number
}
type Json = Record<string, unknown>

/** Why a line of a batch that nobody disturbs otherwise may be without an answer. */
const reasons: Record<string, string> = { cancel: 'batch_cancelled', max_credits: 'max_credits_reached' }

/** The files of a batch tell of each line once, as it ended, and of what was charged for it; its counts and its sum fit. */
export function checkResults(batch: Json, { whole, lines }: BatchCase): string[] {
  const { twist, maxCredits } = whole.play.batch!
  const read = resultFilesOf(batch).map(([what, file]) => ({ what, ...contentsOf(file, whole.exchanges) }))
  const unread = read.find(({ last }) => last === undefined)
  if (unread) return [`its ${unread.what} cannot be read`]
  const told = read.map(({ what, last }) => ({ what, results: resultsIn(last!) }))
  const answered = told.flatMap(({ what, results }) => (what === 'output' ? results : []))
  const others = told.flatMap(({ what, results }) => (what === 'errors' ? results : []))

  const found = read.flatMap(({ what, isOne }) => (isOne ? [] : [`its ${what} was told in two ways`]))
  const ids = [...answered, ...others].map(({ custom_id }) => custom_id).sort()
  const tokens = lines.map(({ play }) => play.script.token).sort()
  if (ids.join() !== tokens.join()) found.push(`it has ${tokens.length} lines, and results for ${ids.join(' ')}`)
  const { total, completed, failed } = batch['request_counts'] as Record<string, number>
  if (total !== tokens.length || completed !== answered.length || failed !== others.length)
    found.push(`it counts ${completed} + ${failed} of ${total}, and told of ${answered.length} + ${others.length}`)

  const byToken = new Map(lines.map((line) => [line.play.script.token, line]))
  for (const result of answered) found.push(...answerOf(result, byToken.get(result.custom_id)))
  for (const result of others) found.push(...refusalOf(result, reasons[twist]))
  for (const peeked of whole.exchanges.filter(({ step, end }) => step === 'peek' && end === 'answered'))
    found.push(...peekOf(peeked, batch, answered))

  const paid = lines.flatMap(({ rows }) => rows).filter((row) => row.batch === batch['id'])
  const entries = paid.reduce((sum, { chargedByEntries }) => sum + chargedByEntries, 0n)
  const results = [...answered, ...others].reduce(
    (sum, { credits_consumed: credits }) => sum + microcredits(credits),
    0n,
  )
  const charged = microcredits(Number(batch['credits_consumed']))
  if (entries !== charged || results !== charged)
    found.push(`it says ${charged}, its lines come to ${results}, and the entries to ${entries}`)
  if (twist === 'max_credits' && charged > microcredits(maxCredits))
    found.push(`it was bounded by ${maxCredits} credits, and was charged ${charged} microcredits`)
  return found
}

/** What is in a file, by those who could read all of it: always the same. */
function contentsOf(file: string, exchanges: readonly Exchange[]) {
  const whole = exchanges.filter(({ path, end }) => path === `/v1/files/${file}/content` && end === 'answered')
  return { last: whole.at(-1)?.content, isOne: new Set(whole.map(({ content }) => content)).size <= 1 }
}

const resultsIn = (text: string): Result[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result)

/** Whole, of this line, and paid for as it says. */
function answerOf({ custom_id: token, response, credits_consumed: credits }: Result, line: Case | undefined): string[] {
  if (!line) return [`it has a result for ${token}, which is not in it`]
  if (response?.status_code !== 200) return [`${token} was answered with ${response?.status_code}`]
  const [choice] = response.body['choices'] as { message: { content: string } }[]
  const judgement = judgeText(choice!.message.content, line.play.script, line.productions)
  if (judgement.kind !== 'words' || !judgement.isWhole)
    return [`${token} is not whole: ${judgement.kind === 'wrong' ? judgement.why : judgement.kind}`]
  const row = line.rows.find(({ id }) => id === response.request_id)
  if (row?.state === 'completed' && row.charged === microcredits(credits)) return []
  return [
    `${token} is told to cost ${credits} credits, and ${response.request_id} is ${row?.state}, charged ${row?.charged}`,
  ]
}

function refusalOf(
  { custom_id: token, response, error, credits_consumed: credits }: Result,
  reason: string | undefined,
): string[] {
  const code = error?.code ?? String((response?.body['error'] as Json | undefined)?.['code'])
  if (code !== reason) return [`${token} was not answered: ${code}`]
  return credits === 0 ? [] : [`${token} was not answered, and cost ${credits} credits`]
}

/** What could be read while it ran is in the end as it was. */
function peekOf({ path, content = '' }: Exchange, batch: Json, answered: readonly Result[]): string[] {
  if (!path.includes(String(batch['id']))) return []
  const final = new Set(answered.map((result) => JSON.stringify(result)))
  const other = resultsIn(content).find((result) => !final.has(JSON.stringify(result)))
  return other ? [`the result of ${other.custom_id} was another one while it ran`] : []
}

const microcredits = (credits: number): bigint => BigInt(Math.round(credits * 1e6))
