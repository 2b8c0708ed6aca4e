import type { Command } from 'commander'
import { Key, listOf, NewKey, RevokedKey } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderFields, renderTable } from '../table.ts'
import { addKeyLimits } from './key-limits.ts'

/** `weir keys create|list|revoke|limits|limit set` */
export function addKeys(program: Command, desk: Desk): void {
  const keys = program.command('keys').description('the API keys of an account')

  keys
    .command('create <account> <name>')
    .description('make a key; its secret is shown this once')
    .action(async (account: string, name: string) => {
      const { answer } = await desk.api().post(['accounts', desk.account(account), 'keys'], { name })
      desk.show(answer, NewKey, (made, colour) => renderFields(fieldsOf(made), colour))
      desk.remark('Keep the key now: it cannot be shown again.')
    })

  withPaging(keys.command('list <account>').description('the keys, revoked ones too')).action(
    async (account: string, paging: Paging) => {
      const answer = await readList(desk, ['accounts', desk.account(account), 'keys'], paging)
      desk.show(answer, listOf(Key), ({ data }, colour) => renderTable(columns, data.map(rowOf), colour))
    },
  )

  keys
    .command('revoke <account> <key>')
    .description('refuse a key from now on')
    .action(async (account: string, key: string) => {
      const answer = await desk.api().delete(['accounts', desk.account(account), 'keys', desk.key(key)])
      desk.show(answer, RevokedKey, ({ id, revoked_at }, colour) =>
        renderFields(
          [
            ['id', id],
            ['revoked', localTime(revoked_at)],
          ],
          colour,
        ),
      )
    })

  addKeyLimits(keys, desk)
}

const columns = [{ title: 'id' }, { title: 'name' }, { title: 'key' }, { title: 'created' }, { title: 'revoked' }]

const rowOf = ({ id, name, hint, created_at, revoked_at }: Key): string[] => [
  id,
  name,
  hint,
  localTime(created_at),
  revoked_at === null ? '-' : localTime(revoked_at),
]

const fieldsOf = ({ id, name, key, created_at }: NewKey): [string, string][] => [
  ['id', id],
  ['name', name],
  ['key', key],
  ['created', localTime(created_at)],
]
