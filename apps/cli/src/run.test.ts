import { newAccountId, newCompletionId, newGrantId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn, checkoutWith, refused, weir } from './testing/admin-stand-in.ts'

const acct = newAccountId()
const created_at = '2026-01-01T00:00:00.000Z'

test('an account is created and shown with its id', async () => {
  await using admin = await adminStandIn({
    'POST /accounts': { status: 201, body: { id: acct, name: 'acme', created_at } },
  })

  const { exitCode, out } = await admin.weir('accounts', 'create', 'acme')

  expect(exitCode).toBe(0)
  expect(out).toMatch(new RegExp(`^id {7}${acct}\nname {5}acme\ncreated {2}20\\d\\d-`))
  expect(admin.asked).toEqual([{ route: 'POST /accounts', body: { name: 'acme' }, authorization: 'Bearer secret' }])
})

test('amounts stand under one another, exact to the microcredit', async () => {
  const credits = { balance: 1000, reserved: 0.000005, available: 999.999995 }
  const account = { id: acct, name: 'acme', frozen: false, shortage: 'refuse', created_at, credits }
  await using admin = await adminStandIn({ [`GET /accounts/${acct}`]: { body: account } })

  const { out } = await admin.weir('credits', acct)

  expect(out).toBe('balance    1000.000000\nreserved      0.000005\navailable   999.999995\n')
})

test('the entries of one completion are those that name it', async () => {
  const id = newCompletionId()
  const path = `GET /accounts/${acct}/entries?completion_id=${id}`
  await using admin = await adminStandIn({ [path]: { body: entries([2], false) } })

  expect(await admin.weir('entries', acct, '--completion', id)).toMatchObject({ exitCode: 0, err: '' })
})

test('entries are a table with signed amounts to the right', async () => {
  await using admin = await adminStandIn({
    [`GET /accounts/${acct}/entries?limit=2`]: { body: entries([2, 1], false) },
  })

  const { out, err } = await admin.weir('entries', acct, '--limit', '2')

  const [head, charge, grant] = out.split('\n').map((line) => line.replace(/20\d\d-[-:T+\d]+/, 'TIME'))
  const titles = 'sequence,time,kind,credits,left of grant,grant,completion,action,reason'.split(',')
  expect(head?.trim().split(/ {2,}/)).toEqual(titles)
  expect(grant).toMatch(/^ {7}1 {2}TIME {2}grant {3}\+25\.000000 {6}25\.000000 {2}grant_1 {2}- {11}action_1 {2}thanks$/)
  expect(charge).toMatch(/^ {7}2 {2}TIME {2}charge {3}-0\.000021 {6}24\.999979 {2}grant_1 {2}chatcmpl_1 {2}- {9}-$/)
  expect(err).toBe('')
})

test('a list that goes on says so, and --all follows it to its end', async () => {
  const path = `GET /accounts/${acct}/entries`
  await using admin = await adminStandIn({
    [path]: { body: entries([4, 3], true) },
    [`${path}?limit=1000`]: { body: entries([4, 3], true) },
    [`${path}?limit=1000&after=3`]: { body: entries([2, 1], false) },
  })

  const some = await admin.weir('entries', acct)
  const all = await admin.weir('entries', acct, '--all', '--json')

  expect(some.err).toContain('--all')
  expect(JSON.parse(all.out)).toEqual(entries([4, 3, 2, 1], false))
})

test('a server that gives the same page for ever does not hold us', async () => {
  const page = { body: entries([2, 1], true) }
  const path = `GET /accounts/${acct}/entries`
  await using admin = await adminStandIn({ [`${path}?limit=1000`]: page, [`${path}?limit=1000&after=1`]: page })

  expect(await admin.weir('entries', acct, '--all')).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(/same page twice/),
  })
})

test('with --json the answer comes as the server gave it', async () => {
  const body = {
    object: 'list',
    data: [{ id: acct, name: 'acme', created_at, more: [1] }],
    has_more: true,
    last_id: acct,
  }
  await using admin = await adminStandIn({ 'GET /accounts': { body } })

  expect(await admin.weir('accounts', 'list', '--json')).toEqual({
    exitCode: 0,
    out: `${JSON.stringify(body)}\n`,
    err: '',
  })
})

test('a new key is shown once, with the advice to keep it', async () => {
  const key = { id: newKeyId(), name: 'laptop', key: 'weir_sk_abc', hint: 'weir_sk_…abc', created_at }
  await using admin = await adminStandIn({ [`POST /accounts/${acct}/keys`]: { status: 201, body: key } })

  const { out, err } = await admin.weir('keys', 'create', acct, 'laptop')

  expect(out).toContain('weir_sk_abc\n')
  expect(err).toMatch(/cannot be shown again/)
})

test('a key is revoked by its id', async () => {
  const id = newKeyId()
  const route = `DELETE /accounts/${acct}/keys/${id}`
  await using admin = await adminStandIn({ [route]: { body: { id, revoked_at: created_at } } })

  expect(await admin.weir('keys', 'revoke', acct, id)).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/revoked {2}20\d\d/),
  })
})

test('text of others cannot play tricks with the terminal', async () => {
  const name = 'a\u001b[31mb\nc'
  await using admin = await adminStandIn({
    'GET /accounts': {
      body: { object: 'list', data: [{ id: acct, name, created_at }], has_more: false, last_id: acct },
    },
  })

  expect((await admin.weir('accounts', 'list')).out.split('\n')[1]).toContain(' ab c ')
})

test('a refusal of the server is said in its words, with exit code 1', async () => {
  await using admin = await adminStandIn({ 'GET /accounts': refused(401, 'Incorrect key.') })

  expect(await admin.weir('accounts', 'list')).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(/--admin-key: Incorrect key\.\n$/),
  })
  expect(await admin.weir('accounts', 'show', acct)).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(/There is nothing.*\(404\)/),
  })
})

test('a page that is no admin API is told apart from a refusal', async () => {
  await using admin = await adminStandIn({ 'GET /accounts': { status: 404, body: '<html>' } })

  expect(await admin.weir('accounts', 'list')).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(/Is the URL right\?/),
  })
})

test('where nobody listens, the advice is to start Weir', async () => {
  const gone = await adminStandIn({})
  await gone[Symbol.asyncDispose]()

  const { exitCode, err } = await gone.weir('accounts', 'list')

  expect(exitCode).toBe(1)
  expect(err).toMatch(/No answer from .* \(ECONNREFUSED\)\. Is Weir running\? Start it: npm start/)
})

test('where a change got no answer, nobody claims that it was not made', async () => {
  const route = `POST /accounts/${acct}/freeze`
  await using admin = await adminStandIn({ [route]: { body: '{', breaksOff: true } })

  expect(await admin.weir('accounts', 'freeze', acct, '--reason', 'fraud')).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(/No answer .*\nIt may have been done all the same: look first\.\n$/),
  })
})

test.each([
  { args: ['accounts'], says: /Usage: weir accounts/ },
  { args: ['acounts', 'list'], says: /Did you mean accounts/ },
  { args: ['accounts', 'show', 'acme'], says: /'acme' must be an id such as acct_/ },
  { args: ['keys', 'revoke', acct, '..'], says: /must be an id such as key_/ },
  { args: ['grants', 'create', acct, '1'], says: /--kind/ },
  { args: ['grants', 'create', acct, '1', '--kind', 'purchased', '--priority', '32768'], says: /0 to 32767/ },
  { args: ['grants', 'create', acct, '1', '--kind', 'purchased', '--expires-at', 'tomorrow'], says: /such as 90m/ },
  { args: ['grants', 'create', acct, '1', '--kind', 'purchased', '--expires-at', '2030-01-01T00:00'], says: /offset/ },
  { args: ['grants', 'revoke', acct, newGrantId()], says: /--reason/ },
  { args: ['grants', 'revoke', acct, newGrantId(), '--reason', ' '], says: /must say why/ },
  { args: ['adjustments', 'create', acct, '5'], says: /--reason/ },
  { args: ['adjustments', 'create', acct, '-0', '--reason', 'typo'], says: /other than zero/ },
  { args: ['refunds', 'create', acct, newCompletionId()], says: /--reason/ },
  { args: ['refunds', 'create', acct, 'chatcmpl_1', '--reason', 'sorry'], says: /such as chatcmpl_/ },
  { args: ['accounts', 'freeze', acct], says: /--reason/ },
  { args: ['accounts', 'unfreeze', acct], says: /--reason/ },
  { args: ['accounts', 'update', acct], says: /--shortage/ },
  { args: ['accounts', 'update', acct, '--shortage', 'maybe'], says: /refuse, clamp/ },
  { args: ['keys', 'limit', 'set', acct, newKeyId()], says: /--day, --month or --total/ },
  { args: ['keys', 'limit', 'set', acct, newKeyId(), '--day', 'no'], says: /'none'/ },
  { args: ['prices', 'set', 'quick', '--per', '1000'], says: /--input, --output/ },
  { args: ['prices', 'set', 'quick', '--input', '1', '--output', '-2'], says: /0 or more/ },
  { args: ['usage', acct, '--group-by', 'month'], says: /model,key/ },
  { args: ['usage', acct, '--bucket', 'week'], says: /hour, day, month/ },
  { args: ['statement', acct, '--format', 'pdf'], says: /csv, jsonl/ },
  { args: ['statement', acct, '-o', '/nowhere/january.csv'], says: /cannot be written \(ENOENT\)/ },
  { args: ['statement', acct, '-o', '/dev/null'], says: /no plain file/ },
  { args: ['ledger', 'check', '--account', 'acme'], says: /such as acct_/ },
  { args: ['grants', 'create', acct, '1.1234567', '--kind', 'purchased'], says: /six decimals/ },
  { args: ['grants', 'create', acct, '1000000000.000001', '--kind', 'purchased'], says: /at most 1000000000,/ },
  { args: ['adjustments', 'create', acct, '-9999999999999', '--reason', 'typo'], says: /at most 1000000000,/ },
  { args: ['prices', 'set', 'quick', '--input', '1000000001', '--output', '1'], says: /at most 1000000000,/ },
  { args: ['keys', 'limit', 'set', acct, newKeyId(), '--day', '1000000001'], says: /at most 1000000000,/ },
  { args: ['accounts', 'create', ''], says: /must not be empty/ },
  { args: ['accounts', 'create', ' '], says: /must not be empty/ },
  { args: ['entries', acct, '--completion', 'chatcmpl_1'], says: /such as chatcmpl_/ },
  { args: ['entries', acct, '--limit', '0'], says: /above zero/ },
  { args: ['entries', acct, '--limit', '5', '--all'], says: /cannot be used with/ },
])('a command that is wrong exits with 2 and sends nothing: $args', async ({ args, says }) => {
  await using admin = await adminStandIn({})

  expect(await admin.weir(...args)).toMatchObject({ exitCode: 2, err: expect.stringMatching(says) })
  expect(admin.asked).toEqual([])
})

test('inside a checkout that runs Weir no option is needed, and local is its account', async () => {
  await using admin = await adminStandIn({
    [`GET /accounts/${acct}/keys`]: { body: { object: 'list', data: [], has_more: false, last_id: null } },
  })
  using checkout = checkoutWith({ url: admin.url, adminKey: 'from-file', accountId: acct })

  const { exitCode, out } = await weir(['keys', 'list', 'local'], checkout.folder)

  expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'None.\n' })
  expect(admin.asked[0]?.authorization).toBe('Bearer from-file')
})

function entries(sequences: number[], has_more: boolean) {
  return { object: 'list', data: sequences.map(entry), has_more, last_id: String(sequences.at(-1)) }
}

function entry(sequence: number) {
  const base = { object: 'entry', sequence, grant_id: 'grant_1', created_at }
  if (sequence === 1) {
    const done = { completion_id: null, action_id: 'action_1', reason: 'thanks' }
    return { ...base, ...done, kind: 'grant', credits: 25, balance_after: 25 }
  }
  const balance_after = Number((25 - 0.000021 * (sequence - 1)).toFixed(6))
  const done = { completion_id: `chatcmpl_${sequence - 1}`, action_id: null, reason: null }
  return { ...base, ...done, kind: 'charge', credits: -0.000021, balance_after }
}
