import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { firstAccount } from './first-account.ts'
import { openTempDir } from './testing/temp-dir.ts'

test('the first start makes an account with credits, and the next one keeps it', async () => {
  await using service = await openService()

  const first = await service.start()
  const second = await service.start()

  expect(first).toMatchObject({ isNew: true, accountId: 'account-1', apiKey: 'key-1' })
  expect(second).toMatchObject({ isNew: false, accountId: 'account-1', apiKey: 'key-1' })
  expect(service.grants).toEqual([{ account: 'account-1', credits: 100, kind: 'promotional' }])
  expect(JSON.parse(await readFile(service.file, 'utf8'))).toMatchObject({ apiKey: 'key-1', url: service.url })
  expect((await stat(service.file)).mode & 0o777).toBe(0o600)
})

test('a key that the database does not know is replaced', async () => {
  await using service = await openService()
  await service.start()
  service.keys.clear()

  expect(await service.start()).toMatchObject({ isNew: true, accountId: 'account-2' })
})

test('a service that is out of order does not cost the account', async () => {
  await using service = await openService()
  await service.start()
  service.isDown = true

  await expect(service.start()).rejects.toThrow(/answered 503/)

  service.isDown = false
  expect(await service.start()).toMatchObject({ isNew: false, accountId: 'account-1' })
})

async function openService() {
  const dir = await openTempDir()
  const state = { keys: new Set<string>(), grants: [] as object[], accounts: 0, isDown: false }
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body))
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>)
    const bearer = request.headers.authorization?.slice('Bearer '.length) ?? ''
    const [, account, what] = /^\/admin\/v1\/accounts\/?([^/]*)\/?(.*)$/.exec(request.url ?? '') ?? []
    if (state.isDown && request.url === '/v1/credits') return answer(503, {})
    if (request.url === '/v1/credits') return answer(state.keys.has(bearer) ? 200 : 401, {})
    if (bearer !== 'admin') return answer(401, {})
    if (!account) return answer(201, { id: `account-${(state.accounts += 1)}` })
    if (what === 'grants') state.grants.push({ account, ...JSON.parse(Buffer.concat(chunks).toString()) })
    if (what === 'keys') state.keys.add(`key-${state.accounts}`)
    return answer(201, { id: 'id', key: `key-${state.accounts}` })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const file = join(dir.path, 'local.json')
  const running = { url, adminKey: 'admin', databaseUrl: 'postgres://x', redisUrl: 'redis://x' }
  return Object.assign(state, {
    url,
    file,
    start: () => firstAccount(file, running),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await dir[Symbol.asyncDispose]()
    },
  })
}
