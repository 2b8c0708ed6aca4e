import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { admissibleUrl } from './allowed-url.ts'
import { type FetchOptions, guardedFetch } from './guarded-fetch.ts'
import { lookUpNames } from './look-up-names.ts'
import { localServer } from './testing/local-server.ts'

const options = (more: Partial<FetchOptions> = {}): FetchOptions => ({
  addresses: 'public',
  maxBytes: 1_000,
  timeoutMs: 10_000,
  signal: new AbortController().signal,
  resolve: async () => [],
  ...more,
})

const fetchPrivately = (url: string, more: Partial<FetchOptions> = {}) =>
  guardedFetch(url, options({ addresses: 'private_too', ...more }))

test('what a server sends is handed over, when its address is allowed', async () => {
  await using server = await localServer((_request, response) =>
    response.writeHead(203, { 'content-type': 'image/png' }).end('picture'),
  )

  const answer = await fetchPrivately(`${server.url}/a/b?c=d#e`, { headers: { 'x-own': '1' } })

  expect(answer).toEqual({ kind: 'answered', status: 203, contentType: 'image/png', body: Buffer.from('picture') })
  expect(server.asked).toMatchObject([{ url: '/a/b?c=d', headers: { 'x-own': '1', 'user-agent': 'Weir' } }])
})

test.each([
  ['localhost as a literal', 'https://127.0.0.1/'],
  ['one decimal number', 'https://2130706433/'],
  ['octal numbers', 'https://0177.0.0.01/'],
  ['hexadecimal numbers', 'https://0x7f.1/'],
  ['full-width digits', 'https://１２７.0.0.1/'],
  ['nowhere', 'https://0.0.0.0/'],
  ['localhost in IPv6', 'https://[::1]/'],
  ['IPv4 written as IPv6', 'https://[::ffff:7f00:1]/'],
  ['a public IPv4 written as IPv6', 'https://[::ffff:8.8.8.8]/'],
  ['a private network', 'https://10.1.2.3/'],
  ['the metadata of a cloud', 'https://169.254.169.254/latest/meta-data/'],
])('%s is refused before anything is sent', async (_what, url) => {
  expect(await guardedFetch(url, options())).toMatchObject({ kind: 'refused', reason: 'address' })
})

test.each([
  ['http://example.com/', 'scheme'],
  ['file:///etc/passwd', 'scheme'],
  ['https://user@example.com/', 'userinfo'],
  ['https://:secret@example.com/', 'userinfo'],
  ['https://example.com:22/', 'port'],
  ['example.com', 'malformed'],
])('%s is refused for its %s', async (url, reason) => {
  expect(await guardedFetch(url, options())).toMatchObject({ kind: 'refused', reason })
})

test('localhost is this machine where private networks are open, and nowhere else', async () => {
  await using server = await localServer((_request, response) => response.end('here'))
  const { resolve: _none, ...asSet } = options({ addresses: 'private_too' })

  expect(await guardedFetch(`http://localhost:${server.port}/`, asSet)).toMatchObject({ kind: 'answered' })
  for (const name of ['localhost', 'LOCALHOST.', 'hooks.localhost'])
    expect(admissibleUrl(`https://${name}:8443/`, 'public')).toMatchObject({ reason: 'address' })
  expect(admissibleUrl('https://localhost.example.com/', 'public')).toBeInstanceOf(URL)
})

test('who asks the system for names while others do waits for an answer, unless they leave', async () => {
  const { signal } = new AbortController()
  const cancelled = AbortSignal.abort(new Error('enough'))
  const asking = [signal, signal, signal, signal, cancelled, signal].map((each) => lookUpNames('localhost', each))

  const found = await Promise.allSettled(asking)

  expect(found.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), 'rejected', 'fulfilled'])
  expect(found.at(-1)).toMatchObject({ value: expect.arrayContaining(['127.0.0.1']) })
  expect(await lookUpNames('nowhere.invalid', signal)).toEqual([])
})

test('a refusal says what would be allowed', async () => {
  const [scheme, address] = ['ftp://example.com/', 'http://169.254.169.254/'] as const

  expect(await fetchPrivately(scheme)).toMatchObject({ sentence: 'begins with neither https:// nor http://' })
  expect(await guardedFetch(scheme, options())).toMatchObject({ sentence: 'does not begin with https://' })
  expect(await fetchPrivately(address)).toMatchObject({ sentence: 'leads to no server that may be asked' })
})

test('an address without end is refused', async () => {
  const url = `https://example.com/${'a'.repeat(10_000)}`
  expect(await guardedFetch(url, options())).toMatchObject({ kind: 'refused', reason: 'malformed' })
})

test('a name is refused when any of its addresses is, or when it has none, and both read alike', async () => {
  const refusals = await Promise.all(
    [['8.8.8.8', '127.0.0.1'], ['fd00::1'], []].map((found) =>
      guardedFetch('https://inside.example/', options({ resolve: async () => found })),
    ),
  )

  expect(new Set(refusals.map((each) => JSON.stringify(each))).size).toBe(1)
  expect(refusals[0]).toMatchObject({ reason: 'address' })
})

test('the connection goes to the address that was checked, and every call checks anew', async () => {
  await using server = await localServer((_request, response) => response.end('yes'))
  const answers = [['127.0.0.1'], ['169.254.169.254']]
  const resolve = async () => answers.shift() ?? []
  const url = `http://rebinding.example:${server.port}/`

  const first = await fetchPrivately(url, { resolve })
  expect(first).toMatchObject({ kind: 'answered' })
  expect(answers).toHaveLength(1)
  expect(server.asked).toMatchObject([{ headers: { host: `rebinding.example:${server.port}` } }])

  expect(await fetchPrivately(url, { resolve })).toMatchObject({ reason: 'address' })
  expect(server.asked).toHaveLength(1)
})

test('a redirect is an answer that nobody follows', async () => {
  await using server = await localServer((request, response) =>
    request.url === '/' ? response.writeHead(302, { location: '/secret' }).end() : response.end('secret'),
  )

  expect(await fetchPrivately(server.url)).toMatchObject({ kind: 'answered', status: 302, body: Buffer.from('') })
  expect(server.asked).toHaveLength(1)
})

test('an answer that announces to be larger than allowed is not waited for', async () => {
  await using server = await localServer((_request, response) => {
    response.writeHead(200, { 'content-length': '5000000' }).flushHeaders()
  })

  expect(await fetchPrivately(server.url)).toMatchObject({ kind: 'refused', reason: 'too_large' })
})

test('an answer that grows larger than allowed is cut off', async () => {
  await using server = await localServer((_request, response) => {
    response.on('error', () => {})
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    }
    response.on('drain', more)
    more()
  })

  expect(await fetchPrivately(server.url)).toMatchObject({ kind: 'refused', reason: 'too_large' })
})

test('several calls share a budget', async () => {
  await using server = await localServer((_request, response) => {
    response.flushHeaders()
    response.end(Buffer.alloc(600))
  })
  const budget = { bytes: 1_000 }

  expect(await fetchPrivately(server.url, { budget })).toMatchObject({ kind: 'answered' })
  expect(await fetchPrivately(server.url, { budget })).toMatchObject({ reason: 'too_large' })
})

test.each([
  ['says nothing', () => {}],
  ['never ends', (response: { write(text: string): void }) => response.write('a')],
])('a server that %s is left after the time allowed', async (_what, answer) => {
  await using server = await localServer((_request, response) => answer(response))

  expect(await fetchPrivately(server.url, { timeoutMs: 50 })).toMatchObject({ kind: 'refused', reason: 'timeout' })
})

test('a resolver that never answers is left after the time allowed', async () => {
  const resolve = () => new Promise<never>(() => {})
  expect(await guardedFetch('https://slow.example/', options({ resolve, timeoutMs: 20 }))).toMatchObject({
    reason: 'timeout',
  })
})

test('whoever aborts gets their own reason', async () => {
  const cancel = new AbortController()
  const reason = new Error('enough')
  await using server = await localServer(() => cancel.abort(reason))

  await expect(fetchPrivately(server.url, { signal: cancel.signal })).rejects.toBe(reason)
  await expect(fetchPrivately(server.url, { signal: cancel.signal })).rejects.toBe(reason)
})

test('what is no HTTP, and what nobody listens to, is told as that', async () => {
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('220 mail.example ESMTP\r\n'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

  expect(await fetchPrivately(url)).toMatchObject({ kind: 'refused', reason: 'broken' })
  server.close()
  await once(server, 'close')
  expect(await fetchPrivately(url)).toMatchObject({ kind: 'refused', reason: 'unreachable' })
})

test('a mistake of the caller is thrown', async () => {
  await using server = await localServer((_request, response) => response.end())
  await expect(fetchPrivately(server.url, { headers: { 'no header': 'a' } })).rejects.toThrow('invalid header key')
})
