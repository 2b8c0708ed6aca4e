import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { z } from 'zod'
import { alignAmounts } from '../amounts.ts'
import type { Desk } from '../desk.ts'
import { serverFailure, usageFailure } from '../failure.ts'
import { fetchJson } from '../fetch-json.ts'
import { localTime } from '../local-time.ts'
import { isComputable } from '../receipts/arithmetic.ts'
import type { Receipt } from '../receipts/receipt.ts'
import { verifyReceipt } from '../receipts/verify-receipt.ts'
import { renderFields } from '../table.ts'

/** `weir receipts get|verify` */
export function addReceipts(program: Command, desk: Desk): void {
  const receipts = program.command('receipts').description('what a completion cost and why, signed')

  receipts
    .command('get <completion>')
    .description('fetch the receipt of a completion of yours, as JSON to keep')
    .option('--api-key <key>', 'the API key of its account (or WEIR_API_KEY)')
    .action(async (completion: string, { apiKey }: { apiKey?: string }) => {
      const { url, apiKey: key } = desk.customer(apiKey)
      if (!key) throw usageFailure("A receipt is its account's. Pass --api-key or set WEIR_API_KEY.")
      const path = `/v1/chat/completions/${desk.completion(completion)}/receipt`
      const answer = await fetchJson(
        url + path,
        key,
        "Is it another account's? Pass a key of that one: --api-key or WEIR_API_KEY.",
      )
      desk.show(answer, z.unknown(), (receipt) => JSON.stringify(receipt, null, 2))
    })

  receipts
    .command('verify <file>')
    .description('prove that a receipt is genuine and its sums are right; - reads it from the standard input')
    .option(
      '--keys <file or url>',
      "the signer's public keys, or the address of the Weir that serves them; without it those of the server are fetched",
    )
    .action(async (file: string, { keys }: { keys?: string }) => {
      const receipt = file === '-' ? await text(process.stdin) : await contentOf(file)
      const verdict = await verifyReceipt(receipt, await keysFrom(keys ?? `${desk.customer().url}${KEYS_PATH}`))
      if (verdict.kind === 'refused') throw serverFailure(verdict.faults.join('\n'))
      const { kid, receipt: signed } = verdict
      desk.show({ genuine: true, kid, completion_id: signed.completion_id }, z.unknown(), (_, colour) =>
        renderFields(fieldsOf(signed, kid), colour),
      )
      desk.remark(isComputable(signed) ? 'The receipt is genuine and its sums are right.' : withoutPrice)
    })
}

const KEYS_PATH = '/.well-known/weir-receipt-keys.json'

const withoutPrice = 'The receipt is genuine. It is from before prices had versions: its cost cannot be computed again.'

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

async function keysFrom(source: string): Promise<z.infer<typeof KeySet>> {
  const keys = /^https?:/i.test(source) ? await fetchJson(addressOfKeys(source)) : parsedJson(await contentOf(source))
  const parsed = KeySet.safeParse(keys)
  if (!parsed.success) throw usageFailure(`${source} holds no JSON Web Key Set.`)
  return parsed.data
}

/** A server alone stands for where every Weir has its keys. */
function addressOfKeys(address: string): string {
  const url = URL.parse(address)
  if (!url) throw usageFailure(`'${address}' is neither a file nor an http or https URL.`)
  return url.pathname === '/' && url.search === '' ? url.origin + KEYS_PATH : address
}

function parsedJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

const contentOf = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageFailure(`${path} cannot be read (${error.code}).`)
  })

/** As it was signed: not as the file shows it. */
function fieldsOf(receipt: Receipt, kid: string): [string, string][] {
  const { completion_id, account_id, model, served_by, state, usage, price } = receipt
  const { source } = usage
  const [cost = '', charged = '', uncollected = '', refunded = ''] = alignAmounts([
    receipt.cost,
    receipt.charged,
    receipt.uncollected,
    receipt.refunded,
  ])
  return [
    ['completion', completion_id],
    ['account', account_id],
    ['model', served_by === null ? model : `${model}, served by ${served_by}`],
    ['ended', `${localTime(receipt.ended_at)}, ${state}`],
    ['tokens', source === 'none' ? 'not counted: nothing is charged' : `${countedIn(usage)}, ${source}`],
    ['price', price === null ? '-' : pricesIn(price, receipt)],
    ['cost', cost],
    ['charged', charged],
    ['uncollected', uncollected],
    ['refunded', refunded],
    ['issued', localTime(receipt.issued_at)],
    ['signed by', kid],
  ]
}

/** What most completions have none of is left out where there is none. */
const unlessNone = (count: number | string | undefined, name: string): string[] =>
  Number(count ?? 0) === 0 ? [] : [`${count} ${name}`]

const countedIn = ({ inputTokens, cachedInputTokens, outputTokens, ...usage }: Receipt['usage']): string =>
  [
    `${inputTokens} in`,
    `${cachedInputTokens} cached`,
    ...unlessNone(usage.cacheWriteTokens, 'written to a cache'),
    `${outputTokens} out`,
    ...unlessNone(usage.reasoningTokens, 'of reasoning'),
    ...unlessNone(usage.images, 'images'),
  ].join(', ')

function pricesIn(price: NonNullable<Receipt['price']>, { usage, calculation }: Receipt): string {
  const forTokens = [
    `${price.input} in`,
    `${price.cached_input} cached`,
    ...(usage.cacheWriteTokens ? unlessNone(price.cache_write, 'written to a cache') : []),
    `${price.output} out`,
    ...(usage.reasoningTokens ? unlessNone(price.reasoning, 'of reasoning') : []),
    'a million',
  ]
  const others = [
    ...unlessNone(price.image, 'an image'),
    ...unlessNone(price.request, 'a completion'),
    ...unlessNone(price.minimum, 'at least'),
    ...(calculation?.batch_discount ? [`${calculation.batch_discount}% less as a line of a batch`] : []),
  ]
  return [forTokens, others]
    .filter((each) => each.length > 0)
    .map((each) => each.join(', '))
    .join('; ')
}
