import { createHash } from 'node:crypto'
import { type AccountId, type CompletionId, newAccountId, newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DAY_MS, type KeptFixture, openKeptFixture } from './testing/kept-fixture.ts'

let fixture: KeptFixture
beforeAll(async () => void (fixture = await openKeptFixture()))
afterAll(() => fixture?.[Symbol.asyncDispose]())

type Claim = { account: AccountId; key: string | null; asked: string; id: CompletionId }

const claimOf = (key: string | null, more: Partial<Claim> = {}): Claim => ({
  account: fixture.accountId,
  key,
  asked: 'this',
  id: newCompletionId(),
  ...more,
})
const digestOf = (asked: string): Buffer => createHash('sha256').update(asked).digest()

/** Who holds each key once all of them were claimed, by one statement; null where the claim was granted. */
async function claimed(...claims: Claim[]): Promise<{ holder: (string | null)[]; is_same: boolean[] }> {
  const { rows } = await sql<{ holder: (string | null)[]; is_same: boolean[] }>`
    select * from store.claim_keys(
      ${claims.map(({ account }) => uuidOf(account))}::uuid[], ${claims.map(({ key }) => key)}::text[],
      ${claims.map(({ asked }) => digestOf(asked))}::bytea[], ${claims.map(({ id }) => uuidOf(id))}::uuid[],
      interval '1 day')`.execute(fixture.db)
  return rows[0]!
}

const holderOf = ({ account, key, asked }: Claim) =>
  fixture.keys.holderOf(account, { key: key!, digest: digestOf(asked) })

test('a key belongs to whoever claims it first', async () => {
  const [first, second, other] = [claimOf('first'), claimOf('first'), claimOf('first', { asked: 'that' })]

  expect(await claimed(first)).toEqual({ holder: [null], is_same: [true] })
  expect(await claimed(second)).toEqual({ holder: [uuidOf(first.id)], is_same: [true] })
  expect(await claimed(other)).toEqual({ holder: [uuidOf(first.id)], is_same: [false] })
  expect(await holderOf(second)).toEqual({ by: first.id, isSame: true })
  expect(await holderOf(other)).toEqual({ by: first.id, isSame: false })
})

test('a claim that is repeated is still the same claim', async () => {
  const claim = claimOf('repeated')
  await claimed(claim)

  expect(await claimed(claim)).toEqual({ holder: [null], is_same: [true] })
})

test('each of a batch is told of its own key, whether it has one or not', async () => {
  const held = claimOf('held')
  await claimed(held)
  const stranger = newAccountId()

  const batch = await claimed(
    claimOf('new'),
    claimOf('held', { asked: 'that' }),
    claimOf(null),
    claimOf('held', { account: stranger }),
    claimOf('held'),
  )

  const holder = uuidOf(held.id)
  expect(batch).toEqual({ holder: [null, holder, null, null, holder], is_same: [true, false, true, true, true] })
})

test('a key that nobody has used belongs to nobody', async () => {
  expect(await holderOf(claimOf('unused'))).toBeUndefined()
})

test('two batches that claim the same keys in opposite order do not wait for each other for ever', async () => {
  const keys = Array.from({ length: 1_000 }, (_, i) => `crossing-${i}`)
  const batches = [keys, keys.toReversed(), keys, keys.toReversed()].map((each) => each.map((key) => claimOf(key)))

  const verdicts = await Promise.all(batches.map((batch) => claimed(...batch)))

  const granted = verdicts.flatMap(({ holder }) => holder.filter((each) => each === null))
  expect(granted).toHaveLength(keys.length)
})

test.each([
  ['failed', 0n, true],
  ['cancelled', 0n, true],
  ['expired', 0n, true],
  ['cancelled', 5n, false],
  ['completed', 0n, false],
  ['completed', 5n, false],
] as const)('a key whose completion has %s and cost %i is free: %s', async (state, charged, isFree) => {
  const key = `${state}-${charged}`
  const id = await fixture.keep('the job')
  await claimed(claimOf(key, { id }))
  await fixture.end(id, 'the outcome', { state, charged })
  const again = claimOf(key)

  expect(await holderOf(again)).toEqual(isFree ? undefined : { by: id, isSame: true })
  expect((await claimed(again)).holder).toEqual([isFree ? null : uuidOf(id)])
})

test('a key that has lapsed may be claimed again', async () => {
  const [first, second] = [claimOf('lapsed'), claimOf('lapsed', { asked: 'that' })]
  await claimed(first)
  await sql`update store.idempotency_key set created_at = clock_timestamp() - ${DAY_MS + 1_000}::float8 * interval '1 ms'
    where key = 'lapsed'`.execute(fixture.db)

  expect(await holderOf(first)).toBeUndefined()
  expect((await claimed(second)).holder).toEqual([null])
  expect(await holderOf(second)).toEqual({ by: second.id, isSame: true })
})

test('a key is given back by its own completion alone', async () => {
  const [mine, other] = [claimOf('given back'), claimOf('given back')]
  await claimed(mine)
  const giveBack = ({ account, key, id }: Claim) =>
    sql`select store.unclaim_keys(array[${uuidOf(account)}]::uuid[], array[${key}], array[${uuidOf(id)}]::uuid[])`.execute(
      fixture.db,
    )

  await giveBack(other)
  expect(await holderOf(mine)).toEqual({ by: mine.id, isSame: true })
  await giveBack(mine)

  expect(await holderOf(mine)).toBeUndefined()
})
