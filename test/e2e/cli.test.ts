import { execFile } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type AccountId, type CompletionId, messageIdOf, newAccountId, uuidOf } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createdBatch, linesOf } from './testing/batches.ts'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { asking, clientOf, statusOf } from './testing/customer.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'

const program = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
type Keys = { data: { id: string; name: string; revoked_at: string | null }[]; has_more: boolean }

let weir: Weir

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick, priced: quick }), apiEnv: { WEIR_PRICE_REFRESH_MS: '100' } })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

test('an operator opens an account, gives it a key and credits, and sees what it spent', async () => {
  const { id } = await answerOf<{ id: string }>('accounts', 'create', 'acme')
  const { key } = await answerOf<{ key: string }>('keys', 'create', id, 'laptop')
  await answerOf('grants', 'create', id, '25.50', '--kind', 'purchased', '--reference', 'invoice-17')
  await answerOf('grants', 'create', id, '25.50', '--kind', 'purchased', '--reference', 'invoice-17')

  const completion = await clientOf(key, weir.url).chat.completions.create(asking('quick'))

  const entries = await answerOf<{ data: object[] }>('entries', id)
  expect(entries.data).toMatchObject([
    { kind: 'charge', credits: -0.053, completion_id: completion.id, balance_after: 25.447 },
    { kind: 'grant', credits: 25.5, balance_after: 25.5 },
  ])
  expect(await answerOf('credits', id)).toMatchObject({ credits: { balance: 25.447, reserved: 0, available: 25.447 } })
})

test('an operator revokes a key, and it opens nothing any more', async () => {
  const { accountId, apiKey } = await weir.createAccount()
  const client = clientOf(apiKey, weir.url)
  expect(await statusOf(client)).toBe(200)
  const { data } = await answerOf<Keys>('keys', 'list', accountId)

  await answerOf('keys', 'revoke', accountId, data[0]!.id)

  await expect.poll(() => statusOf(client), patiently).toBe(401)
  const after = await answerOf<Keys>('keys', 'list', accountId)
  expect(after.data[0]).toMatchObject({ id: data[0]!.id, revoked_at: expect.any(String) })
})

test('to people the movements of an account are a table, its amounts under one another', async () => {
  const { accountId, apiKey } = await weir.createAccount({ credits: 10 })
  const { id } = await clientOf(apiKey, weir.url).chat.completions.create(asking('quick'))

  const { stdout } = await weirCommand('entries', accountId)

  const [titles, charge, grant, end] = stdout.split('\n')
  expect(titles).toMatch(/^sequence +time +kind +credits +left of grant +grant +completion +action +reason$/)
  expect(charge).toMatch(/^ +2 .* charge +-0\.053 +9\.947 +grant_\w+ /)
  expect(charge).toMatch(new RegExp(` ${id} +- +-$`))
  expect(grant).toMatch(/^ +1 .* grant +\+10\.000 +10\.000 +grant_\w+ +- +action_\w+ +-$/)
  expect(end).toBe('')
})

test('a list that is longer than a page is read to its end when all of it is asked for', async () => {
  const { accountId } = await weir.createAccount({ credits: 1 })
  for (const name of ['b', 'c']) await answerOf('keys', 'create', accountId, name)

  const some = await answerOf<Keys>('keys', 'list', accountId, '--limit', '2')
  const all = await answerOf<Keys>('keys', 'list', accountId, '--all')

  expect(some).toMatchObject({ has_more: true, data: [{ name: 'c' }, { name: 'b' }] })
  expect(all.data).toHaveLength(3)
})

test('an operator gives credits that end and takes them back, and both stand in the books with the reason', async () => {
  const { accountId } = await weir.createAccount({ credits: 0 })
  const lasting = ['--kind', 'subscription', '--priority', '10', '--expires-at', '30d']
  const { id } = await answerOf<{ id: string }>('grants', 'create', accountId, '20', ...lasting)

  const { stdout } = await weirCommand('grants', 'list', accountId)
  expect(stdout).toMatch(new RegExp(`\n${id} +subscription +10 +20 +20 +20\\d\\d-\\S+ +- `))

  await answerOf('grants', 'revoke', accountId, id, '--reason', 'chargeback')

  const entries = await answerOf<{ data: object[] }>('entries', accountId)
  expect(entries.data[0]).toMatchObject({ kind: 'revocation', credits: -20, grant_id: id, reason: 'chargeback' })
  expect(await answerOf('credits', accountId)).toMatchObject({ credits: { balance: 0, available: 0 } })
})

test('an operator corrects an account and refunds a completion, and the actions tell who did it', async () => {
  const { accountId, apiKey } = await weir.createAccount({ credits: 10 })
  const completion = await clientOf(apiKey, weir.url).chat.completions.create(asking('quick'))

  await answerOf('adjustments', 'create', accountId, '-2.5', '--reason', 'granted twice', '--reference', 'case-9')
  const again = ['--reason', 'granted twice', '--reference', 'case-9']
  const { stderr } = await weirCommand('adjustments', 'create', accountId, '-2.5', ...again)
  const part = ['--reason', 'slow', '--credits', '0.003']
  // As Anthropic's clients know it.
  await answerOf('refunds', 'create', accountId, messageIdOf(completion.id as CompletionId), ...part)
  await answerOf('refunds', 'create', accountId, completion.id, '--reason', 'gibberish')

  expect(stderr).toContain('nothing was moved now')
  const { data } = await answerOf<{ data: { kind: string }[] }>('actions', 'list', accountId)
  expect(data.filter(({ kind }) => kind !== 'grant')).toMatchObject([
    { kind: 'refund', credits: 0.05, completion_id: completion.id, reason: 'gibberish', actor: expect.any(String) },
    { kind: 'refund', credits: 0.003, completion_id: completion.id, reason: 'slow' },
    { kind: 'adjust', credits: -2.5, reference: 'case-9', reason: 'granted twice' },
  ])
  expect(await answerOf('credits', accountId)).toMatchObject({ credits: { balance: 7.5, available: 7.5 } })
  const tooMuch = weirCommand('refunds', 'create', accountId, completion.id, '--reason', 'again')
  await expect(tooMuch).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('(400)') })
})

test('an operator freezes an account, and its completions are refused until it is unfrozen', async () => {
  const { accountId, apiKey } = await weir.createAccount({ credits: 10 })
  const client = clientOf(apiKey, weir.url)

  await answerOf('accounts', 'freeze', accountId, '--reason', 'stolen card')
  await expect(client.chat.completions.create(asking('quick'))).rejects.toMatchObject({ status: 403 })
  expect((await weirCommand('accounts', 'show', accountId)).stdout).toMatch(/\nfrozen +yes\nshortage +refuse\n/)

  await answerOf('accounts', 'unfreeze', accountId, '--reason', 'it was not')
  await client.chat.completions.create(asking('quick'))
})

test('an operator lets answers be cut to what an account can pay', async () => {
  const { accountId, apiKey } = await weir.createAccount({ credits: 1 })
  const ask = () => clientOf(apiKey, weir.url).chat.completions.create(asking('quick'))
  await expect(ask()).rejects.toMatchObject({ status: 402 })

  expect(await answerOf('accounts', 'update', accountId, '--shortage', 'clamp')).toMatchObject({ shortage: 'clamp' })

  expect((await ask()).usage).toMatchObject({ clamped_max_tokens: expect.any(Number) })
})

test('an operator bounds what a key may spend, sees what it has spent, and lifts the bound', async () => {
  const { accountId, apiKey } = await weir.createAccount({ credits: 10 })
  const ask = () => clientOf(apiKey, weir.url).chat.completions.create(asking('quick'))
  const keyId = (await answerOf<Keys>('keys', 'list', accountId)).data[0]!.id

  await answerOf('keys', 'limit', 'set', accountId, keyId, '--total', '2.5', '--day', '5')
  await ask()
  const { stdout } = await weirCommand('keys', 'limits', accountId, keyId)
  expect(stdout).toMatch(/\nday +5\.0 +0\.053 +0\n/)
  expect(stdout).toMatch(/\ntotal +2\.5 +0\.053 +0\n/)

  await answerOf('keys', 'limit', 'set', accountId, keyId, '--total', '1')
  await expect(ask()).rejects.toMatchObject({ status: 402, code: 'key_limit_exceeded' })

  await answerOf('keys', 'limit', 'set', accountId, keyId, '--total', 'none')
  await ask()
})

test('an operator sets a price, and what is asked from then on costs that much', async () => {
  const { apiKey } = await weir.createAccount({ credits: 10 })
  const costs = async () => {
    const { usage } = await clientOf(apiKey, weir.url).chat.completions.create(asking('priced'))
    return (usage as { credits_consumed?: number } | undefined)?.credits_consumed
  }
  expect(await costs()).toBe(0.053)

  await answerOf('prices', 'set', 'priced', '--input', '0', '--output', '0.5', '--per', '1000')
  await answerOf('prices', 'set', 'priced', '--input', '0', '--output', '9', '--effective-at', '30d')

  await expect.poll(costs, patiently).toBe(0.012)
  const list = (await weirCommand('prices', 'list')).stdout.split('\n').filter((line) => line.startsWith('priced'))
  expect(list).toHaveLength(2)
  const history = await answerOf<{ data: object[] }>('prices', 'history', 'priced')
  expect(history.data).toMatchObject([
    { output: 9, source: 'admin' },
    { input: 0, output: 500, per: 1_000_000, source: 'admin' },
    { input: 1_000, output: 2_000, source: 'catalogue' },
  ])
})

test('usage and statement tell the same story as the entries', async () => {
  const { accountId, apiKey } = await weir.createAccount({ credits: 10 })
  const ask = () => clientOf(apiKey, weir.url).chat.completions.create(asking('quick'))
  await ask()
  await ask()

  const { data } = await answerOf<{ data: object[] }>('usage', accountId, '--group-by', 'none', '--bucket', 'month')
  expect(data).toMatchObject([{ requests: 2, credits: 0.106, model: null, key_id: null }])
  expect((await weirCommand('usage', accountId)).stdout).toMatch(/\n20\d\d-\d\d-\d\d +quick +2 .* 0\.106\n$/)

  using folder = mkdtempDisposableSync(join(tmpdir(), 'weir-statement-'))
  const file = join(folder.path, 'statement.jsonl')
  await weirCommand('statement', accountId, '--format', 'jsonl', '-o', file)
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(lines).toHaveLength(5)
  expect(lines.slice(1, 4)).toMatchObject([
    { kind: 'grant', credits: 10 },
    { kind: 'charge', credits: -0.053 },
    { kind: 'charge', credits: -0.053 },
  ])
  const csv = (await weirCommand('statement', accountId)).stdout
  expect(csv.trimEnd().split('\n')).toHaveLength(6)
})

test('the check finds the books whole, and tells of a balance that somebody has bent', async () => {
  const { accountId } = await weir.createAccount({ credits: 10 })
  expect((await weirCommand('ledger', 'check')).stdout).toMatch(/^whole +yes\n/)

  const bend = 'update ledger.account set balance = balance + 1 where id = $1'
  await rowsOf(weir.databaseUrl, bend, [uuidOf(accountId as AccountId)])

  const check = await weirCommand('ledger', 'check', '--account', accountId).catch((error: unknown) => error)
  expect(check).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(new RegExp(`^whole +NO\n[^]*${accountId}`)),
    stderr: 'weir: The books are not whole.\n',
  })
})

test('an operator sees the batches of all accounts, what one waits for and whom its account tells of it, and ends it', async () => {
  const { accountId, apiKey } = await weir.createAccount({ credits: 0 })
  const client = clientOf(apiKey, weir.url)
  const hook = { name: 'mine', url: 'https://hooks.invalid/weir', event_types: ['batch.cancelled' as const] }
  const endpoint = await client.webhooks.create(hook)
  const { id } = await createdBatch(client, linesOf(2))

  const paused = () => answerOf<{ data: object[] }>('batches', 'list', '--state', 'paused', '--account', accountId)
  await expect
    .poll(async () => (await paused()).data, patiently)
    .toMatchObject([
      { id, account_id: accountId, paused: { reason: 'insufficient_credits' }, lines: { total: 2, pending: 2 } },
    ])
  expect((await weirCommand('batches', 'list', '--state', 'open')).stdout).toContain(id)

  expect((await weirCommand('batches', 'cancel', id)).stdout).toMatch(/^state +cancell/m)
  await expect
    .poll(async () => (await weirCommand('batches', 'show', id)).stdout, patiently)
    .toMatch(/^state +cancelled$/m)

  expect((await weirCommand('batches', 'list', '--state', 'open', '--account', accountId)).stdout).toBe('None.\n')
  expect((await weirCommand('webhooks', 'list', accountId)).stdout).toContain(`${endpoint.id}  mine`)
  const { data } = await answerOf<{ data: object[] }>('webhooks', 'deliveries', accountId, '--all')
  expect(data).toMatchObject([{ event: { type: 'batch.cancelled', data: { id } }, state: 'pending' }])
  const again = await weirCommand('batches', 'cancel', id).catch((error: unknown) => error)
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing to cancel') })
})

test('what the server refuses ends the command with its words and a code of 1', async () => {
  const failure = await weirCommand('accounts', 'show', newAccountId()).catch((error: unknown) => error)

  expect(failure).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('There is no account') })
})

/** Runs `weir` as an operator would, away from any checkout that it might find settings in. */
const weirCommand = (...args: string[]) =>
  promisify(execFile)(process.execPath, [program, ...args], {
    cwd: '/',
    env: { WEIR_URL: weir.url, WEIR_ADMIN_KEY: weir.adminKey },
  })

const answerOf = async <Answer>(...args: string[]): Promise<Answer> =>
  JSON.parse((await weirCommand('--json', ...args)).stdout) as Answer
