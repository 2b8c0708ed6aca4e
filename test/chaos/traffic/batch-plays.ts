import { formOf } from '../../e2e/testing/uploads.ts'
import type { BatchPlan, Exchange, Play } from '../history.ts'
import { promptOf } from '../model/words.ts'
import type { Call, Client } from './client.ts'

const POLL_MS = 400
const TRY_AGAIN_MS = 250
const endpoint = '/v1/chat/completions'

/** More than any line says. */
const LINE_CAP = 30

/** Hands over many requests at once, may do something to them, follows them to their end and fetches what came of it. */
export async function playBatch(client: Client): Promise<void> {
  const { play } = client
  const { twist, maxCredits } = play.batch!
  const form = formOf(
    { name: 'purpose', value: 'batch' },
    { name: 'file', value: inputOf(play.batch!), filename: inputName(play) },
  )
  if (twist === 'cut_upload')
    return void (await client.ask(
      'upload',
      { path: '/v1/files', form },
      { leaveAfterBytes: Math.floor(form.length / 2) },
    ))

  const file = idIn(await untilTaken(client, 'upload', { path: '/v1/files', form }))
  if (!file) return
  const body = {
    input_file_id: file,
    endpoint,
    completion_window: '24h',
    webhook_url: `${client.webhookUrl}/${play.script.token}`,
    ...(twist === 'max_credits' && { max_credits: maxCredits }),
    ...(twist === 'dry_run' && { dry_run: true }),
  }
  const headers = { 'idempotency-key': `batch-${play.script.token}` }
  const id = idIn(await untilTaken(client, 'make batch', { path: '/v1/batches', body, headers }))
  if (!id) return
  if (twist === 'cancel') {
    await client.sleep(play.afterMs)
    await untilTaken(client, 'cancel batch', { path: `/v1/batches/${id}/cancel`, body: {} })
  }
  await followToTheEnd(client, id)
}

/** What a file is called that has the requests of a play. */
export const inputName = ({ script }: Play): string => `${script.token}.jsonl`

function inputOf({ lines, twist, badLine }: BatchPlan): string {
  const texts = lines.map((script) => {
    const { token } = script
    const messages = [{ role: 'user', content: promptOf(script) }]
    const body = { model: 'words', messages, max_completion_tokens: LINE_CAP, metadata: { line: token } }
    return JSON.stringify({ custom_id: token, method: 'POST', url: endpoint, body })
  })
  return (twist === 'bad_line' ? texts.with(badLine - 1, '{"custom_id":') : texts).join('\n')
}

/** Asks until it has ended, once for what there is by then; and in the end for all of it. */
async function followToTheEnd(client: Client, id: string): Promise<void> {
  const path = `/v1/batches/${id}`
  for (let n = 0; client.goesOn(); n++) {
    const { object } = await client.ask('poll', { method: 'GET', path, replica: n })
    if (isEndedBatch(object)) {
      for (const [step, file] of resultFilesOf(object))
        await untilTaken(client, step, { method: 'GET', path: `/v1/files/${file}/content` })
      return
    }
    if (n === client.play.afterEvents) await client.ask('peek', { method: 'GET', path: `${path}/output`, replica: n })
    await client.sleep(POLL_MS)
  }
}

export const isEndedBatch = (batch: Exchange['object']): boolean =>
  ['completed', 'failed', 'cancelled', 'expired'].includes(String(batch?.['status']))

/** The files that a batch which has ended names, by what they hold. */
export const resultFilesOf = (batch: Exchange['object']): ['output' | 'errors', string][] =>
  (
    [
      ['output', batch?.['output_file_id']],
      ['errors', batch?.['error_file_id']],
    ] as const
  ).flatMap(([what, file]) => (typeof file === 'string' ? [[what, file]] : []))

/** As the official clients do: what was lost is sent again, whatever has become of it, and what was refused for now. */
async function untilTaken(client: Client, step: string, call: Call): Promise<Exchange> {
  for (let n = 0; ; n++) {
    const exchange = await client.ask(step, { ...call, replica: client.play.replica + n })
    const { end, status = 0 } = exchange
    const mayTryAgain = end === 'broken' || (end === 'refused' && (status >= 500 || status === 429))
    if (!mayTryAgain || !client.goesOn()) return exchange
    await client.sleep(TRY_AGAIN_MS)
  }
}

const idIn = ({ object }: Exchange): string | undefined => object?.['id'] as string | undefined
