import { uuidOf } from '@weir/contracts'
import { type RawBuilder, sql } from 'kysely'
import { expect, test } from 'vitest'
import { createCheckBooks } from './check-books.ts'
import { answering } from './testing/backend.ts'
import { type ServiceFixture, serviceFixture } from './testing/service.ts'

async function endedOn(service: ServiceFixture) {
  const job = await service.submitted()
  await service.run(job, answering)
  return job
}

test('what the service does leaves nothing to find', async () => {
  await using service = await serviceFixture()
  await endedOn(service)
  await service.admit()

  expect(await createCheckBooks(service.db)()).toMatchObject({ findings: [], unlisted: 0, reservations: 2 })
})

test('tokens beyond what any sum of them could hold are added up like others', async () => {
  await using service = await serviceFixture()
  const { id } = await endedOn(service)
  const most = 2n ** 63n - 1n
  await sql`update store.completion set input_tokens = ${most}, cached_input_tokens = ${most}
    where id = ${uuidOf(id)}`.execute(service.db)
  await sql`update store.usage_hour set input_tokens = ${most}, cached_input_tokens = ${most}`.execute(service.db)

  expect(await createCheckBooks(service.db)()).toMatchObject({ findings: [], unlisted: 0 })
})

const corruptions: [string, (uuid: string) => RawBuilder<unknown>][] = [
  ['completion-has-reservation', (uuid) => sql`delete from ledger.reservation where id = ${uuid}`],
  ['reservation-has-completion', (uuid) => sql`delete from store.completion where id = ${uuid}`],
  [
    'completion-of-its-account',
    (uuid) => sql`update store.completion set account_id = gen_random_uuid() where id = ${uuid}`,
  ],
  [
    'completion-ends-with-its-reservation',
    (uuid) => sql`update store.completion set state = 'queued', ended_at = null where id = ${uuid}`,
  ],
  ['completion-says-its-charge', (uuid) => sql`update store.completion set charged = charged + 1 where id = ${uuid}`],
  [
    'completion-costs-what-it-used',
    (uuid) => sql`update store.completion set output_tokens = output_tokens - 1 where id = ${uuid}`,
  ],
  ['usage-adds-up', (uuid) => sql`update store.completion set input_tokens = input_tokens + 1 where id = ${uuid}`],
]

test.each(corruptions)('%s: a completion that was tampered with is found', async (invariant, corrupt) => {
  await using service = await serviceFixture()
  const { id } = await endedOn(service)

  await corrupt(uuidOf(id)).execute(service.db)

  const { findings } = await createCheckBooks(service.db)()
  expect(findings.map((finding) => finding.invariant)).toContain(invariant)
})
