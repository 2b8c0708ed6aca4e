import { type CompletionId, newAccountId, newCompletionId } from '@weir/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KeptFixture, openKeptFixture } from './testing/kept-fixture.ts'

let fixture: KeptFixture
beforeAll(async () => void (fixture = await openKeptFixture()))
afterAll(() => fixture?.[Symbol.asyncDispose]())

const bothOf = async (id: CompletionId) => [
  await fixture.kept.jobOf(id),
  await fixture.kept.outcomeOf(fixture.accountId, id),
]

test('what is kept is a job until it has ended, and then an outcome', async () => {
  const id = await fixture.keep('the job')
  expect(await bothOf(id)).toEqual(['the job', undefined])

  await fixture.end(id, 'the outcome')

  expect(await bothOf(id)).toEqual([undefined, 'the outcome'])
})

test('what was not let in, and what was not to be kept, is not there', async () => {
  const [refused, unkept] = [newCompletionId(), newCompletionId()]

  await fixture.insert({ id: refused, job: 'a job', accepted: false }, { id: unkept, job: null, accepted: true })

  expect(await bothOf(refused)).toEqual([undefined, undefined])
  expect(await bothOf(unkept)).toEqual([undefined, undefined])
})

test('the first end stands', async () => {
  const id = await fixture.keep('the job')
  await fixture.end(id, 'first')

  await fixture.end(id, 'second')

  expect(await bothOf(id)).toEqual([undefined, 'first'])
})

test('the end of what is not kept leaves nothing behind', async () => {
  const id = newCompletionId()

  await fixture.end(id, 'the outcome')

  expect(await bothOf(id)).toEqual([undefined, undefined])
})

test('a job can be corrected for as long as it has not ended', async () => {
  const [running, ended] = [await fixture.keep('as asked'), await fixture.keep('as asked')]
  await fixture.end(ended, 'the outcome')

  await fixture.kept.replaceJob(running, 'clamped')
  await fixture.kept.replaceJob(ended, 'clamped')

  expect(await bothOf(running)).toEqual(['clamped', undefined])
  expect(await bothOf(ended)).toEqual([undefined, 'the outcome'])
})

test('nobody reads or forgets what belongs to another account', async () => {
  const id = await fixture.keep('the job')
  await fixture.end(id, 'the outcome')
  const stranger = newAccountId()

  await fixture.kept.forget(stranger, id)

  expect(await fixture.kept.outcomeOf(stranger, id)).toBeUndefined()
  expect(await bothOf(id)).toEqual([undefined, 'the outcome'])
  expect(await fixture.records.find(fixture.accountId, id)).toMatchObject({ isDeleted: false })
})

test('what was forgotten is gone with its metadata, and its row says so', async () => {
  const id = await fixture.keep('the job', { metadata: { secret: 'yes' } })
  await fixture.end(id, 'the outcome')
  const { accountId, kept, records } = fixture

  await kept.forget(accountId, id)
  await kept.forget(accountId, id)

  expect(await bothOf(id)).toEqual([undefined, undefined])
  expect(await records.find(accountId, id)).toMatchObject({ isDeleted: true, metadata: {} })
  expect((await records.list(accountId, {}, { limit: 100, order: 'desc' })).map((each) => each.id)).not.toContain(id)
  expect(await records.setMetadata(accountId, id, { a: 'b' })).toBe(false)
})
