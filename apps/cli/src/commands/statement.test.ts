import { mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newAccountId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const route = `GET /accounts/${acct}/statement?format=csv`
const lines = ['sequence,created_at,kind,credits,balance', ',TIME,opening_balance,,0', '1,TIME,grant,25,25']
const cut = `${lines.join('\r\n')}\r\n`
const csv = `${cut},TIME,closing_balance,,25\r\n`
const jsonl = '{"object":"opening_balance","balance":0}\n{"object":"closing_balance","balance":0,"entries":0}\n'

test('a statement is printed as it comes', async () => {
  await using admin = await adminStandIn({ [route]: { body: csv } })

  expect(await admin.weir('statement', acct)).toEqual({ exitCode: 0, out: csv, err: '' })
})

test('to a program a statement is JSON Lines, unless it asks for the table', async () => {
  const asJson = `GET /accounts/${acct}/statement?format=jsonl`
  await using admin = await adminStandIn({ [route]: { body: csv }, [asJson]: { body: jsonl } })

  expect((await admin.weir('--json', 'statement', acct)).out).toBe(jsonl)
  expect((await admin.weir('--json', 'statement', acct, '--format', 'csv')).out).toBe(csv)
})

test('a statement of a period is saved under the name that was given, in place of an older one', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'weir-cli-'))
  const file = join(folder.path, 'january.jsonl')
  writeFileSync(file, 'older')
  const query = 'format=jsonl&from=2026-01-01T00%3A00%3A00.000Z&to=2026-02-01T00%3A00%3A00.000Z'
  await using admin = await adminStandIn({ [`GET /accounts/${acct}/statement?${query}`]: { body: jsonl } })

  const period = ['--from', '2026-01-01', '--to', '2026-02-01', '--format', 'jsonl']
  const { exitCode, out } = await admin.weir('statement', acct, ...period, '-o', file)

  expect({ exitCode, out, saved: readFileSync(file, 'utf8') }).toEqual({ exitCode: 0, out: '', saved: jsonl })
  expect(readdirSync(folder.path)).toEqual(['january.jsonl'])
})

test('a statement that breaks off ends in 1 and leaves no file, half or whole', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'weir-cli-'))
  const older = join(folder.path, 'older.csv')
  writeFileSync(older, 'older')
  await using admin = await adminStandIn({ [route]: { body: csv, breaksOff: true } })

  const printed = await admin.weir('statement', acct)
  const saved = await admin.weir('statement', acct, '-o', join(folder.path, 'new.csv'))
  const replaced = await admin.weir('statement', acct, '-o', older)

  for (const { exitCode, err } of [printed, saved, replaced]) {
    expect({ exitCode, err }).toMatchObject({ exitCode: 1, err: expect.stringMatching(/broke off .* not whole/) })
  }
  expect(readdirSync(folder.path)).toEqual(['older.csv'])
  expect(readFileSync(older, 'utf8')).toBe('older')
})

test('a statement without its closing balance is not whole, though the answer ends as it should', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'weir-cli-'))
  await using admin = await adminStandIn({
    [route]: { body: cut },
    [`GET /accounts/${acct}/statement?format=jsonl`]: { body: jsonl.slice(0, -1) },
  })

  const printed = await admin.weir('statement', acct, '--format', 'jsonl')
  const saved = await admin.weir('statement', acct, '-o', join(folder.path, 'new.csv'))

  for (const { exitCode, err } of [printed, saved]) {
    expect({ exitCode, err }).toMatchObject({ exitCode: 1, err: expect.stringMatching(/without its closing balance/) })
  }
  expect(readdirSync(folder.path)).toEqual([])
})

test('a statement that is refused leaves no file', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'weir-cli-'))
  await using admin = await adminStandIn({})

  const refused = await admin.weir('statement', acct, '-o', join(folder.path, 'new.csv'))

  expect(refused).toMatchObject({ exitCode: 1, err: expect.stringMatching(/There is nothing.*\(404\)/) })
  expect(readdirSync(folder.path)).toEqual([])
})
