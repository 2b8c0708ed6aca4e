import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { newAccountId } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { asking, clientOf, statusOf } from './testing/customer.ts'
import { patiently } from './testing/patiently.ts'

const program = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
type Keys = { data: { id: string; name: string; revoked_at: string | null }[]; has_more: boolean }

let weir: Weir

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick }) })
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
  expect(titles).toMatch(/^sequence +time +kind +credits +left of grant +grant +completion$/)
  expect(charge).toMatch(/^ +2 .* charge +-0\.053 +9\.947 +grant_\w+ /)
  expect(charge).toMatch(new RegExp(`${id}$`))
  expect(grant).toMatch(/^ +1 .* grant +\+10\.000 +10\.000 +grant_\w+ +-$/)
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
