import pg from 'pg'
import { withConnection } from './admin-database.ts'

/**
 * A login for the apps, made if it is not there, and the URL to use it with. It may do what the role `weir_app` may, which
 * the migrations make, and owns nothing: it can add to the books and never change what stands in them.
 */
export async function appLogin(
  ownerUrl: string,
  { name, password }: { name: string; password: string },
): Promise<string> {
  await withConnection(ownerUrl, async (client) => {
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [name])
    const login = pg.escapeIdentifier(name)
    if (rowCount === 0) await client.query(`create role ${login} login`)
    await client.query(`grant weir_app to ${login}`)
    await client.query(`alter role ${login} password ${pg.escapeLiteral(password)}`)
  })
  const url = new URL(ownerUrl)
  url.username = name
  url.password = password
  return url.href
}
